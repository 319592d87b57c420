"""Examples shown in the docs."""

from __future__ import annotations

EVENT = {
    "object": "audit_event",
    "id": "aud_01h455vb4pex5vsknk084sn02q",
    "seq": 91827,
    "occurred_at": "2026-11-02T15:00:00.000Z",
    "practice_id": "prac_01h455vb4pex5vsknk084sn02r",
    "actor": {
        "type": "user", "id": "usr_01h455vb4pex5vsknk084sn02s", "roles": ["clinician"],
    },
    "on_behalf_of": None,
    "session_id": "sess_01h455vb4pex5vsknk084sn02t",
    "amr": ["pwd", "otp"],
    "action": "patient.read",
    "outcome": "allow",
    "reason": None,
    "patient_ids": ["pat_01h455vb4pex5vsknk084sn02v"],
    "target": {"type": "patient", "id": "pat_01h455vb4pex5vsknk084sn02v", "version": 3},
    "fields": [],
    "changed": [],
    "count": 0,
    "source": {"ip": "203.0.113.7", "user_agent": "example/1.0", "app": None},
    "request_id": "req_01h455vb4pex5vsknk084sn02w",
    "prev_hash": "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9",
    "hash": "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
}  # fmt: skip

VERIFICATION = {
    "object": "audit_verification",
    "valid": True,
    "first_bad_seq": None,
    "checked": 91827,
    "unchained": 0,
    "checkpoint": "match",
    "from_seq": 1,
    "to_seq": 91827,
}

CHECKPOINT = {
    "object": "audit_checkpoint",
    "practice_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "seq": 91827,
    "hash": "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
    "at": "2026-11-02T15:00:00+00:00",
    "previous": "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9",
    "key": "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "signature": "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
    "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
}
