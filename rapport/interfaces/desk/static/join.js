// Checks a telehealth link: the secret behind the # goes into a request body, never into a URL.
const said = document.getElementById("said");
const token = location.hash.slice(1);
history.replaceState(null, "", location.pathname);
if (!token) {
  said.textContent = "This link is not whole. Open it again from where you got it.";
} else {
  fetch("/v1/telehealth/join", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token }),
  }).then(async (answer) => {
    const body = await answer.json();
    said.textContent = answer.ok
      ? `Your link is good: you join as ${body.person || body.role || "guest"}. Video itself is not part of this version.`
      : body.detail;
  }).catch(() => { said.textContent = "There is no connection just now. Try again in a moment."; });
}
