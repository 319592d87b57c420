"""Which test proves which attack fails, and which one shows that the proof can fail."""

from __future__ import annotations

from dataclasses import dataclass

_AUDIT = "rapport/platform/audit/tests/test_chain.py"
_BAD = "rapport/platform/api/tests/test_bad_input.py"
_CANARIES = "rapport/platform/net/tests/test_canaries.py"
_DELIVERY = "rapport/platform/outbox/tests/test_delivery.py"
_DOCUMENTS = "rapport/rooms/documents/tests/test_documents.py"
_FACTORS = "rapport/platform/identity/tests/test_factors.py"
_GUARDED = "rapport/platform/net/tests/test_guarded.py"
_HOSTILE = "rapport/rooms/claims/tests/test_hostile_text.py"
_KEYS = "rapport/platform/identity/tests/test_keys_and_members.py"
_KEPT = "rapport/platform/api/tests/test_idempotency.py"
_LINKING = "rapport/rooms/exchange/tests/test_linking.py"
_MAIL = "rapport/platform/identity/tests/test_mail.py"
_MONEY = "rapport/rooms/ledger/tests/test_money_attacks.py"
_NOTES = "rapport/rooms/charting/tests/test_notes_api.py"
_SESSIONS = "rapport/platform/identity/tests/test_sessions.py"
_SIGN_IN = "rapport/platform/identity/tests/test_signing_in.py"
_SIGNING = "rapport/rooms/charting/tests/test_signing.py"
_S111 = "rapport/rooms/exchange/tests/test_s111.py"
_X12 = "rapport/protocols/x12/tests"
_CASELOAD = "tests/security/test_caseload.py"
_FOREIGN = "tests/security/test_foreign_objects.py"
_ROUTES = "tests/security/test_every_route.py"

_SIGNS_IN = f"{_SIGN_IN}::test_password_and_code_begin_a_session_that_works"
_READS = f"{_FOREIGN}::test_the_control_willows_own_people_do_read_each_of_these_objects"
_TREATS = f"{_CASELOAD}::test_the_control_who_treats_the_patient_finds_them_in_lists"
_NAIVE = f"{_CANARIES}::test_a_naive_client_reaches_every_canary"
_INTACT = f"{_AUDIT}::test_an_untouched_chain_verifies"
_OPENS = f"{_DOCUMENTS}::test_a_link_gives_the_file_with_its_digest_and_a_harmless_name"
_SIGNED = f"{_SIGNING}::test_a_signed_note_is_a_pdf_that_holds_its_text_and_proves_it"


@dataclass(frozen=True)
class Attack:
    """One attack: what it tries, the tests that see it fail, and the controls that see the same succeed where it may."""

    number: str
    what: str
    tests: tuple[str, ...]
    controls: tuple[str, ...]


def _attack(number: str, what: str, *tests: str, control: str) -> Attack:
    return Attack(number, what, tests, (control,))


ATTACKS = (
    _attack("S-001", "reading what another practice has", f"{_FOREIGN}::test_s001_s002_nothing_of_another_practice_is_seen_or_changed_by_anybody_on_any_route", f"{_FOREIGN}::test_every_try_of_one_who_might_is_in_both_trails", control=_READS),
    _attack("S-002", "changing what another practice has", f"{_FOREIGN}::test_s001_s002_nothing_of_another_practice_is_seen_or_changed_by_anybody_on_any_route", control=_READS),
    _attack("S-003", "naming another practice's things in a body", f"{_FOREIGN}::test_s003_a_body_that_names_what_is_elsewhere_says_which_field", control="rapport/rooms/scheduling/tests/test_booking.py::test_a_fault_is_named_by_its_pointer"),
    _attack("S-004", "a chart outside the caseload", f"{_CASELOAD}::test_s004_a_stranger_finds_nothing_of_a_patient_on_any_route", f"{_CASELOAD}::test_the_trail_says_why_a_stranger_saw_nothing", control=_TREATS),
    _attack("S-005", "pretending another patient's context", f"{_NOTES}::test_a_note_of_anothers_patient_is_not_found_whatever_the_body_pretends", control=f"{_NOTES}::test_a_section_is_replaced_by_its_new_text_and_removed_by_null"),
    _attack("S-006", "moving a note to another chart", f"{_NOTES}::test_a_note_cannot_be_moved_or_promoted_by_a_patch", control=f"{_NOTES}::test_a_section_is_replaced_by_its_new_text_and_removed_by_null"),
    _attack("S-007", "a child under another parent", f"{_CASELOAD}::test_s007_a_link_is_reached_through_its_own_document_only", control=_OPENS),
    _attack("S-008", "a program acting as a person", f"{_KEYS}::test_a_key_acts_under_its_own_id", control=_SIGNS_IN),
    _attack("S-009", "lists and searches beyond the caseload", f"{_CASELOAD}::test_s009_no_list_and_no_search_shows_a_stranger_what_is_not_on_the_caseload", control=_TREATS),
    _attack("S-018", "a key beyond its scopes", f"{_KEYS}::test_a_key_of_one_scope_opens_nothing_else", control=f"{_KEYS}::test_a_key_acts_under_its_own_id"),
    _attack("S-020", "raising oneself", f"{_KEYS}::test_nobody_raises_themselves", control=f"{_KEYS}::test_members_are_added_once_changed_with_etag_and_hidden_from_others"),
    _attack("S-022", "going on without the second factor", f"{_SIGN_IN}::test_a_half_open_ticket_opens_nothing_else", control=_SIGNS_IN),
    _attack("S-023", "finishing somebody else's sign-in", f"{_SIGN_IN}::test_a_ticket_is_of_one_person", control=_SIGNS_IN),
    _attack("S-024", "turning the second factor off", f"{_FACTORS}::test_the_second_factor_cannot_be_turned_off", control=f"{_FACTORS}::test_an_authenticator_is_replaced_only_by_who_shows_the_old_one"),
    _attack("S-025", "a code a second time", f"{_SIGN_IN}::test_a_code_works_once", control=_SIGNS_IN),
    _attack("S-026", "two sign-ins at once with one code", f"{_SIGN_IN}::test_of_two_sign_ins_at_once_with_one_code_one_succeeds", control=f"{_SIGN_IN}::test_the_index_alone_lets_one_of_many_take_a_step"),
    _attack("S-027", "codes of other times", f"{_SIGN_IN}::test_codes_of_other_times_are_refused", control=_SIGNS_IN),
    _attack("S-028", "guessing codes", f"{_SIGN_IN}::test_after_ten_wrong_codes_the_right_one_waits_too", f"{_FACTORS}::test_wrong_codes_inside_a_session_count_like_those_at_the_door", control=_SIGNS_IN),
    _attack("S-030", "a recovery code twice", f"{_FACTORS}::test_a_recovery_code_works_once_and_is_never_listed", control=_SIGNS_IN),
    _attack("S-035", "a key that outlives its owner's rights", f"{_KEYS}::test_a_key_loses_what_its_owner_loses_at_once", control=f"{_KEYS}::test_a_key_acts_under_its_own_id"),
    _attack("S-038", "an old refresh token", f"{_SESSIONS}::test_a_refresh_token_used_twice_ends_the_whole_family", control=f"{_SESSIONS}::test_refreshing_goes_on_and_on_and_keeps_no_idle_session_alive"),
    _attack("S-043", "SQL in parameters", f"{_BAD}::test_no_parameter_of_any_list_reaches_the_database_as_text", control=f"{_BAD}::test_an_unknown_sort_key_is_named_as_such"),
    _attack("S-048", "JSON that readers disagree about", f"{_BAD}::test_a_body_that_readers_disagree_about_is_refused", f"{_BAD}::test_bytes_that_are_not_utf_8_or_too_many_are_refused", control=f"{_BAD}::test_a_number_of_the_wrong_kind_is_refused_with_its_pointer"),
    _attack("S-049", "X12 delimiters in names", f"{_X12}/test_round_trip.py::test_hostile_text_never_makes_another_segment_or_element", f"{_X12}/test_round_trip.py::test_a_hostile_last_name_stays_one_element", f"{_X12}/test_oracles.py::test_pyx12_accepts_a_hostile_name_as_one_name", f"{_HOSTILE}::test_s049_hostile_text_in_a_form_is_one_element_of_the_claim_or_is_refused", control=f"{_HOSTILE}::test_the_control_a_file_with_a_segment_too_many_is_seen"),
    _attack("S-053", "webhooks that lead inside", f"{_GUARDED}::test_s053_an_address_that_leads_inside_is_refused_before_any_lookup", f"{_DELIVERY}::test_an_endpoint_inside_is_refused", f"{_CANARIES}::test_the_guarded_client_reaches_none", control=_NAIVE),
    _attack("S-054", "names that turn private", f"{_GUARDED}::test_s054_a_name_that_leads_inside_is_stopped_at_the_connection", f"{_GUARDED}::test_s054_the_second_answer_of_a_rebinding_name_is_checked_too", f"{_DELIVERY}::test_a_name_that_turns_private_is_blocked_when_connecting", control=_NAIVE),
    _attack("S-055", "redirects that lead inside", f"{_GUARDED}::test_s055_a_redirect_is_an_answer_and_not_a_way", control=_NAIVE),
    _attack("S-056", "a proxy from the environment", f"{_GUARDED}::test_s056_a_proxy_in_the_environment_is_ignored", f"{_DELIVERY}::test_a_proxy_in_the_environment_is_not_used", control=_NAIVE),
    _attack("S-066", "hostile remittances and acknowledgements", "rapport/rooms/remittance/tests/test_hostile_files.py::test_s066_a_hostile_file_is_refused_with_its_place_and_posts_nothing", f"{_X12}/test_robustness.py::test_random_bytes_are_refused_with_a_place", f"{_X12}/test_robustness.py::test_two_million_segments_are_read_in_the_memory_of_a_few", control="rapport/rooms/remittance/tests/test_hostile_files.py::test_the_control_the_file_they_were_made_from_posts"),
    _attack("S-068", "fields nobody asked for", f"{_ROUTES}::test_s068_a_field_that_nobody_asked_for_is_named_and_never_dropped", control=f"{_NOTES}::test_a_section_is_replaced_by_its_new_text_and_removed_by_null"),
    _attack("S-069", "tampered file links", f"{_DOCUMENTS}::test_every_bad_link_gets_the_same_answer_but_an_expired_one", f"{_DOCUMENTS}::test_a_single_use_link_opens_for_one_of_many_at_once", f"{_DOCUMENTS}::test_a_link_dies_with_the_membership_of_whoever_made_it", control=_OPENS),
    _attack("S-070", "changing a locked note", f"{_SIGNING}::test_a_locked_note_takes_addenda_only", control=f"{_SIGNING}::test_an_addendum_has_its_own_author_and_paper_and_leaves_the_note_alone"),
    _attack("S-071", "changing a signed note by SQL", f"{_SIGNING}::test_the_database_itself_refuses_to_change_a_signed_note", f"{_SIGNING}::test_notes_and_signatures_are_never_removed", control=_SIGNED),
    _attack("S-072", "saving over a signature", f"{_NOTES}::test_of_two_editors_one_saves_and_the_other_is_told", f"{_SIGNING}::test_signing_while_another_tab_saves_signs_what_was_shown_or_nothing", control=f"{_NOTES}::test_a_section_is_replaced_by_its_new_text_and_removed_by_null"),
    _attack("S-073", "a changed byte of a signed note", f"{_SIGNING}::test_a_note_verifies_until_one_byte_of_it_changes", f"{_SIGNING}::test_a_flipped_bit_of_the_pdf_is_noticed", control=_SIGNED),
    _attack("S-077", "one key for other work", f"{_KEPT}::test_a_key_is_refused_for_another_body_path_or_method", f"{_KEPT}::test_another_person_or_practice_with_the_same_key_does_their_own_work", f"{_KEPT}::test_a_malformed_key_is_refused_before_any_work", f"{_KEPT}::test_a_stored_answer_is_not_given_to_somebody_who_lost_the_right", control=f"{_KEPT}::test_after_its_time_a_key_is_new"),
    _attack("S-078", "changing the trail by a call", f"{_AUDIT}::test_the_trail_knows_no_call_that_changes_it", control=f"{_AUDIT}::test_who_did_what_can_be_asked_by_patient_actor_action_outcome_and_request"),
    _attack("S-079", "changing the trail as the application", f"{_AUDIT}::test_the_application_role_cannot_touch_a_row_of_the_trail", control=f"{_AUDIT}::test_one_changed_row_is_found_at_its_place"),
    _attack("S-080", "changing the trail as the owner of the database", f"{_AUDIT}::test_one_changed_row_is_found_at_its_place", f"{_AUDIT}::test_a_removed_row_is_found_with_and_without_its_link", f"{_AUDIT}::test_two_swapped_rows_are_found_at_the_first", f"{_AUDIT}::test_a_cut_tail_differs_from_the_checkpoint_outside", f"{_AUDIT}::test_a_chain_made_anew_differs_from_the_checkpoint_outside", control=_INTACT),
    _attack("S-107", "money asked for in a wrong way", *(f"{_MONEY}::test_s107_{test}" for test in ("more_than_was_paid_is_not_given_back", "no_other_currency_sign_or_part_of_a_cent", "nothing_is_charged_below_zero", "another_patients_visit_is_not_paid", "who_was_shown_another_amount_is_told_before_they_pay")), control=f"{_MONEY}::test_the_control_two_refunds_that_only_look_first_give_back_more_than_was_paid"),
    _attack("S-111", "a connector's account, and pages that lie", f"{_S111}::test_s111_another_practice_cannot_use_or_see_an_account", f"{_S111}::test_s111_no_secret_is_in_a_log_or_in_a_printed_form", f"{_S111}::test_s111_a_host_that_is_not_allowed_stops_the_connection", f"{_S111}::test_s111_what_a_page_says_is_text_and_nothing_else", f"{_S111}::test_s111_another_patients_record_proves_nothing_about_a_write", f"{_LINKING}::test_secrets_codes_and_sessions_are_nowhere_to_be_read", control=f"{_LINKING}::test_a_password_signs_in_and_everything_is_read"),
)  # fmt: skip

NOT_YET = {
    "S-010": "there is no patient's portal, so nobody signs in as a patient",
    "S-011": "there is no patient's portal, so there are no messages",
    "S-012": "there is no patient's portal, so a patient signs nothing",
}
