#!/usr/bin/env bash
# The five calls of the contract with curl, against any practice: native or connected, the script is the same.
# five_calls.sh API LOGIN PASSWORD TOTP_SECRET VISIT
# VISIT is a completed visit with a signed note that nobody has claimed. Prints one line of JSON for each call.
set -euo pipefail
api=$1 login=$2 password=$3 secret=$4 visit=$5 python=${PYTHON:-python3}
json='Content-Type: application/json' wait='Prefer: wait' out=$(mktemp -d) token=
trap 'rm -rf "$out"' EXIT

pick() { "$python" -c 'import json,sys; d=json.load(open(sys.argv[1]))
for k in sys.argv[2:]: d=d[int(k) if k.isdigit() else k]
print(d)' "$out/body" "$@"; }

# call NAME METHOD PATH [BODY]: send it, keep the answer, say what it was.
call() {
    local status
    status=$(curl -s -m 60 -o "$out/body" -w '%{http_code}' -X "$2" "$api$3" -H "Authorization: Bearer $token" \
        -H "$json" -H "$wait" -H "Idempotency-Key: $("$python" -c 'import uuid; print(uuid.uuid4().hex)')" ${4:+-d "$4"})
    "$python" -c 'import json,sys; print(json.dumps({"call": sys.argv[1], "status": int(sys.argv[2]), "body": json.load(open(sys.argv[3]))}))' \
        "$1" "$status" "$out/body"
}

call 'password' POST /sessions "{\"login\":\"$login\",\"password\":\"$password\"}"
ticket=$(pick mfa_ticket) code=$("$python" -c 'import pyotp,sys; print(pyotp.TOTP(sys.argv[1]).now())' "$secret")
call 'code' POST /sessions/mfa "{\"ticket\":\"$ticket\",\"method\":\"totp\",\"code\":\"$code\"}"
token=$(pick token)

call 'roster' GET '/patients?limit=3'
patient=$(pick data 0 id) clinician=$(pick data 0 clinicians 0 id)

from=$("$python" -c 'from datetime import *; print(date.today() + timedelta(days=80))')
to=$("$python" -c 'from datetime import *; print(date.today() + timedelta(days=85))')
call 'free' GET "/availability?clinician_id=$clinician&from=$from&to=$to&limit=1"
call 'booking' POST /appointments "{\"patient_id\":\"$patient\",\"clinician_id\":\"$clinician\",\"service_code\":\"90837\",\"start_at\":\"$(pick data 0 start_at)\",\"duration_minutes\":50,\"telehealth\":true}"

call 'notes' GET '/clinical-notes?status=signed&sort=service_on&limit=2'
call 'paper' POST "/clinical-notes/$(pick data 0 id)/document-link" '{}'
curl -s -m 60 -o "$out/paper" "$api/document-links/$(pick url | sed 's,.*/,,')"
[ "$(head -c 5 "$out/paper")" = '%PDF-' ]

call 'claim' POST /claims "{\"appointment_ids\":[\"$visit\"]}"
