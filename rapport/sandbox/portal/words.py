"""The words of the pages, in English and in German."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ENGLISH: Mapping[str, str] = MappingProxyType({
    "title": "Fernbrook Practice Portal", "practice": "Practice code", "user": "User name", "password": "Password",
    "sign_in": "Sign in", "failed": "Sign in failed. Check user name and password.", "code": "Verification code",
    "verify": "Verify", "resend": "Send another code", "sent_to": "We sent a code to", "wrong_code": "That code is not valid.",
    "used_code": "That code was used already. Wait for the next one.",
    "locked": "Your account is locked. Try again later.", "signed_in": "Signed in as", "sign_out": "Sign out",
    "use_sso": "Please sign in with Fernbrook ID.", "sso": "Sign in with Fernbrook ID", "idp_title": "Fernbrook ID",
    "elsewhere": "You were signed out because you signed in on another device.", "welcome": "People who work here:",
    "patients": "Patients", "calendar": "Calendar", "notes": "Notes", "staff": "Clinicians", "hours": "Working hours", "weekday": "Day", "starts": "Begins", "ends": "Ends", "claims": "Claims", "eras": "Remittances", "batches": "Claim files", "sent_at": "Sent at", "batch": "Batch",
    "payments": "Payments", "accounts": "Accounts", "users": "Users", "exports": "Exports", "policies": "Insurance policies",
    "id": "ID", "name": "Name", "birth_on": "Date of birth", "age": "Age", "chart": "Chart number",
    "status": "Status", "clinician": "Clinician", "email": "E-mail", "phone": "Phone", "insurance": "Insurance",
    "member_id": "Member ID", "sex": "Sex", "address": "Address", "start": "Start", "minutes": "Minutes", "code_col": "Service code",
    "place": "Location", "patient": "Patient", "type": "Type", "service_on": "Date of service", "signed": "Signed on",
    "next": "Next", "showing": "Showing {first}–{last} of {total}", "none": "There is nothing to show.",
    "new": "New appointment", "edit": "Change appointment", "cancel_it": "Cancel appointment", "keep": "Keep it", "reason": "Reason",
    "save": "Save appointment", "cancel": "Cancel", "saved": "The appointment was saved.", "back": "Back",
    "taken": "The clinician already has an appointment then.", "bad": "Please correct what is marked.",
    "changed": "Somebody changed this meanwhile. Look at it again.", "has_note": "This appointment has a signed note and is locked.",
    "is_over": "This appointment was cancelled.", "needed": "Please fill this in.",
    "note": "Note", "body": "Text", "locked_note": "This note is signed and locked. Add an addendum instead.", "addenda": "Addenda",
    "addendum": "Addendum", "add": "Add addendum", "save_note": "Save draft", "pdf": "Signed note (PDF)", "kept": "Saved.",
    "no_right": "You do not have permission to see this page.", "password_expired": "Your password has expired. Change your password to go on.",
    "terms": "Please accept our new terms of use to go on.", "new_device": "We do not know this device. Ask your administrator to confirm it.",
    "new_password": "New password", "change": "Change password", "accept": "I accept", "ask_admin": "Ask my administrator",
    "asked_admin": "Your administrator was asked.", "push": "Approve the sign-in on your phone.", "check": "Check again",
    "push_denied": "The sign-in was denied on your phone.", "push_expired": "Nobody answered on your phone in time.",
    "maintenance": "The portal is down for maintenance.", "captcha": "Please show that you are human.", "human": "I am not a robot",
    "updated": "Last change", "credentials": "Credentials", "npi": "NPI", "rank": "Rank", "payer": "Payer", "payer_id": "Payer ID",
    "group_number": "Group", "copay": "Copay", "valid_from": "From", "valid_to": "To", "number": "Claim", "charge": "Charge",
    "paid": "Paid", "trace": "Trace number", "paid_on": "Paid on", "amount": "Amount", "file": "File", "received_on": "Received on",
    "source": "Source", "method": "Method", "era": "Remittance", "charges": "Charges", "balance": "Balance", "login": "Login",
    "role": "Role", "factor": "Second step", "kind": "What", "asked_at": "Asked at", "from": "From", "to": "To",
    "claim": "Claim", "units": "Units", "submit_claim": "Submit claim", "cannot_undo": "A submitted claim cannot be taken back.",
    "submitted": "The claim was submitted.", "not_ready": "This claim is not ready to be submitted.",
    "prepare": "Prepare export", "preparing": "Your export is being prepared.", "ready": "Your export is ready.", "download": "Download",
    "new_row": "Add …", "referral": "Referral", "filter": "Show", "new_patient": "New patient",
    "edit_patient": "Change patient", "save_patient": "Save patient", "patient_saved": "The patient was saved.", "first": "First name",
    "middle": "Middle name", "last": "Last name", "line1": "Street", "city": "City", "state": "State", "postal_code": "ZIP code",
    "new_note": "New note", "start_note": "Start note", "sign_note": "Sign note", "cannot_unsign": "A signed note is locked for good.",
    "appointment": "Appointment", "new_claim": "New claim", "create_claim": "Create claim", "has_claim": "There is a claim for this visit.",
    "no_claim": "Only a completed visit of an insured patient can be claimed.",
    "has_a_note": "There is a note for this appointment.", "years": "years",
})  # fmt: skip
GERMAN: Mapping[str, str] = MappingProxyType({
    **ENGLISH,
    "practice": "Praxiskennung", "user": "Benutzername", "password": "Kennwort", "sign_in": "Anmelden",
    "failed": "Anmeldung fehlgeschlagen.", "code": "Bestätigungscode", "verify": "Bestätigen", "resend": "Code erneut senden",
    "sent_to": "Wir haben einen Code gesendet an", "wrong_code": "Dieser Code gilt nicht.", "used_code": "Dieser Code wurde schon benutzt.",
    "locked": "Ihr Konto ist gesperrt.", "sso": "Mit Fernbrook ID anmelden", "elsewhere": "Sie wurden abgemeldet, weil Sie sich anderswo angemeldet haben.",
    "signed_in": "Angemeldet als", "sign_out": "Abmelden", "patients": "Patienten", "calendar": "Kalender", "notes": "Notizen",
    "staff": "Therapeuten", "hours": "Arbeitszeiten", "weekday": "Tag", "starts": "Von", "ends": "Bis", "claims": "Abrechnungen", "eras": "Zahlungsavise", "batches": "Abrechnungsdateien", "sent_at": "Gesendet am", "batch": "Datei Nr.", "payments": "Zahlungen", "accounts": "Konten",
    "users": "Benutzer", "exports": "Exporte", "policies": "Versicherungen", "age": "Alter", "chart": "Aktenzeichen",
    "name": "Name", "birth_on": "Geburtsdatum", "status": "Zustand", "clinician": "Therapeut", "email": "E-Mail-Adresse",
    "phone": "Telefon", "insurance": "Versicherung", "member_id": "Mitgliedsnummer", "sex": "Geschlecht", "next": "Weiter",
    "showing": "{first}–{last} von {total}", "none": "Nichts vorhanden.", "start": "Beginn", "place": "Ort", "patient": "Patient",
    "type": "Art", "service_on": "Behandlungstag", "signed": "Unterschrieben", "new": "Neuer Termin", "save": "Termin speichern",
    "cancel": "Abbrechen", "minutes": "Minuten", "code_col": "Leistung", "updated": "Letzte Änderung", "edit": "Termin ändern",
    "cancel_it": "Termin absagen", "saved": "Der Termin wurde gespeichert.", "taken": "Der Therapeut hat dann schon einen Termin.",
    "bad": "Bitte berichtigen Sie, was bezeichnet ist.", "no_right": "Sie dürfen diese Seite nicht sehen.", "reason": "Grund",
    "changed": "Jemand hat das inzwischen geändert.", "charge": "Betrag", "paid": "Bezahlt", "number": "Rechnung", "payer": "Kostenträger",
    "amount": "Betrag", "received_on": "Eingang", "source": "Von", "method": "Weg", "era": "Avis", "paid_on": "Bezahlt am",
    "trace": "Nummer", "file": "Datei", "credentials": "Titel", "copay": "Zuzahlung", "valid_from": "Von", "valid_to": "Bis",
    "submit_claim": "Abrechnung einreichen", "claim": "Abrechnung", "maintenance": "Das Portal wird gewartet.", "years": "Jahre",
    "password_expired": "Ihr Kennwort ist abgelaufen.", "terms": "Bitte nehmen Sie die neuen Bedingungen an.",
    "new_device": "Wir kennen dieses Gerät nicht.", "body": "Text", "addendum": "Nachtrag", "new_patient": "Neuer Patient", "save_patient": "Patient speichern", "first": "Vorname",
    "last": "Nachname", "middle": "Zweiter Vorname", "state": "Bundesstaat", "line1": "Straße", "city": "Stadt", "postal_code": "Postleitzahl", "new_note": "Neue Notiz",
    "sign_note": "Notiz unterschreiben", "add": "Nachtrag anfügen",
})  # fmt: skip
GERMAN_TEXTS: Mapping[str, str] = MappingProxyType({
    "Active": "Aktiv", "Inactive": "Inaktiv", "Scheduled": "Geplant", "Checked in": "Angekommen", "Completed": "Erledigt",
    "Cancelled": "Abgesagt", "No show": "Nicht erschienen", "Draft": "Entwurf", "Signed": "Unterschrieben", "Ready": "Bereit",
    "Submitted": "Eingereicht", "Paid": "Bezahlt", "Denied": "Abgelehnt", "Posted": "Gebucht", "Voided": "Storniert", "New": "Neu",
    "Progress Note": "Verlaufsnotiz", "Intake": "Erstgespräch", "Main office": "Praxis", "Telehealth": "Video", "Insurance": "Versicherung",
    "Patient": "Patient", "Monday": "Montag", "Tuesday": "Dienstag", "Wednesday": "Mittwoch", "Thursday": "Donnerstag", "Friday": "Freitag", "Saturday": "Samstag",
    "Sunday": "Sonntag", "Card": "Karte", "EFT": "Überweisung", "F": "W", "M": "M", "Preparing": "In Arbeit",
})  # fmt: skip
"""Text of a value that has a code; the code stays."""
CODES: Mapping[str, str] = MappingProxyType({
    "Active": "01", "Inactive": "02", "Scheduled": "10", "Checked in": "11", "Completed": "12", "Cancelled": "13",
    "No show": "14", "Draft": "20", "Signed": "21", "Ready": "30", "Submitted": "31", "Paid": "32", "Denied": "33",
    "Posted": "40", "Voided": "41", "New": "50", "Preparing": "60", "Progress Note": "P1", "Intake": "P2", "Treatment Plan": "P3",
    "Main office": "OFF", "Telehealth": "TEL", "Insurance": "INS", "Patient": "PAT", "Card": "CC", "EFT": "EFT", "Check": "CHK",
    "F": "F", "M": "M", "Monday": "D1", "Tuesday": "D2", "Wednesday": "D3", "Thursday": "D4", "Friday": "D5", "Saturday": "D6", "Sunday": "D7",
})  # fmt: skip
UNKNOWN = ("Paused", "9")
"""A value that nobody knows, and its code."""
