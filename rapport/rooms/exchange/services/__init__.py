"""What can be done with portals: link, sign in, mirror, write, fetch, and ask a person."""

from __future__ import annotations

from .artefacts import ask_for_file, defer_fetch, keep_file, note_no_file, wanted_file
from .breakers import gate, note_worked
from .journal import (
    arm,
    ask_about_old_doubts,
    let_go,
    mark_submitted,
    opened,
    postpone,
    record_answer,
    record_read_back,
    take,
)
from .linking import (
    answer_challenge,
    ask_sign_in,
    calibrate,
    forget_session,
    give_secrets,
    link,
    note_probe,
    resolve,
    resume,
    suspend,
    withdraw,
)
from .pacing import charge, note_answer, parallel_of, silent_for
from .pacing import take as take_token
from .portals import NoPortal, ability_of, manifest_of, portal, supply, target_of
from .recipients import register_file_recipient, register_recipient
from .runs import begin_run, clear_away, note_lateness, publish_piece, refuse_run
from .schedule import ask_refresh, defer_sync, due_kinds, kinds_of
from .sessions import Lease, end_epoch, epoch_of, lease, to_keep_alive, write_back
from .shadows import held_besides, offer_again
from .signing_in import (
    NotYet,
    SigningIn,
    begin_answer,
    begin_sign_in,
    expire_challenges,
    record_sign_in,
)
from .troubles import meet, note_other_patient, note_permission
from .writes import approve, begin_write, defer, settle

__all__ = [
    "Lease",
    "NoPortal",
    "NotYet",
    "SigningIn",
    "ability_of",
    "answer_challenge",
    "approve",
    "arm",
    "ask_about_old_doubts",
    "ask_for_file",
    "ask_refresh",
    "ask_sign_in",
    "begin_answer",
    "begin_run",
    "begin_sign_in",
    "begin_write",
    "calibrate",
    "charge",
    "clear_away",
    "defer",
    "defer_fetch",
    "defer_sync",
    "due_kinds",
    "end_epoch",
    "epoch_of",
    "expire_challenges",
    "forget_session",
    "gate",
    "give_secrets",
    "held_besides",
    "keep_file",
    "kinds_of",
    "lease",
    "let_go",
    "link",
    "manifest_of",
    "mark_submitted",
    "meet",
    "note_answer",
    "note_lateness",
    "note_no_file",
    "note_other_patient",
    "note_permission",
    "note_probe",
    "note_worked",
    "offer_again",
    "opened",
    "parallel_of",
    "portal",
    "postpone",
    "publish_piece",
    "record_answer",
    "record_read_back",
    "record_sign_in",
    "refuse_run",
    "register_file_recipient",
    "register_recipient",
    "resolve",
    "resume",
    "settle",
    "silent_for",
    "supply",
    "suspend",
    "take",
    "take_token",
    "target_of",
    "to_keep_alive",
    "wanted_file",
    "withdraw",
    "write_back",
]
