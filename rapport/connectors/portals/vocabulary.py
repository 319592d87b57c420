"""
Words that may be read on a picture of a portal's sign-in, whoever signs in: what such pages say to everybody.

Everything that is not here, and is none of the definition's own words, is painted over. So no name,
number, address or diagnosis can be read, and a person still sees what the portal wants. A word that
is also a name does not belong here.
"""

from __future__ import annotations

ENGLISH = frozenset("""
a about above accept account accounts active administrator administrators again agree agreement all already an and another
any app application approve approved are as ask at authentication authenticator available back be because been before below
browser but by call can cancel cannot change changed characters check click close closed code codes complete confirm confirmed
contact continue correct could create credentials current days deny denied device different did disabled do does done down
e-mail email enable enter error expire expired expires factor failed few finish first follow for forgot form from get go had
has have help here hours how human if in inactive incorrect information invalid is it its keep know known last later least
letters link locked log login logged logo long lower maintenance make many me message method minutes more must need needs new
next no not notice notification now number of off office ok on once one only open or other our out page password passwords
period permission person phone please policy portal practice press privacy problem prompt protect push puzzle read ready
recognise recognised recognize recognized register reload remember remind repeat required resend reset resume retry return
review robot safe save seconds secure security see send sent service session set show sign signed signing sms soon special
start started still submit suspended switch system temporarily terms text than that the their them then there these they this
time times to token too try two type unable unavailable under unknown unlock until up update updated upper us use used user
username using valid verification verify verified view visit wait want was way we welcome went were what when where which who
with without work working wrong you your yourself
""".split())  # fmt: skip
GERMAN = frozenset("""
abbrechen abgelaufen abgemeldet ablehnen aktiv aktuell aktuelle akzeptieren alle als am an andere anderem anderen anders anderswo
anmelden anmeldung auf aus authentifizierung bald bedingungen bei benutzer benutzername bestätigen bestätigungscode bitte bis
code codes das dass dem den der des dieser dieses dieses die durch ein eine einem einen einer eines erforderlich erneut
fehler fehlgeschlagen fortfahren für geben gerät gesendet gesperrt gültig haben hat hier hilfe ihr ihre ihrem ihren ihrer im in
ist ja jetzt kein keine kennen kennung kennwort können konto mehr melden mensch minuten mit möglich müssen nach nachricht
nächste nein neu neue neuen neuer neues nicht noch nur nutzungsbedingungen oder ok passwort praxis praxiskennung portal
richtig schließen senden seite setzen sich sicherheit sicherheitscode sie sind später stunden über um und ungültig unbekannt
unser unsere unserem unseren versuchen verwalter verwaltung von vor vorübergehend warten wartung was weil weiter wenn werden
wieder wir wird wurde wurden zeigen zu zum zur zurück zustimmen zweiter zweite
""".split())  # fmt: skip
WORDS = ENGLISH | GERMAN
