"""Which test proves which fault, and which one shows that the proof can fail."""

from __future__ import annotations

from dataclasses import dataclass

_API = "rapport/platform/api/tests/test_failures.py"
_CLAIMS = "rapport/rooms/claims/tests"
_NUMBERS = f"{_CLAIMS}/test_control_numbers.py"
_EXCHANGE = "rapport/rooms/exchange/tests"
_ERA = "rapport/rooms/remittance/tests/test_posting.py"
_MONEY = "rapport/rooms/ledger/tests"
_CARDS = "rapport/rooms/payments/tests"
_RELAY = "rapport/platform/outbox/tests/test_order_and_crashes.py"
_SLOTS = "rapport/rooms/scheduling/tests/test_races.py"
_HERE = "tests/faults"
_DOORS = "rapport/sandbox/payer/tests/test_doors.py"
_HTTP = "rapport/connectors/clearinghouse_http"
_SETTINGS = "tests/security/test_settings.py"


@dataclass(frozen=True)
class Fault:
    """One fault: what it is, its tests, and its negative controls."""

    number: str
    what: str
    tests: tuple[str, ...]
    controls: tuple[str, ...]


FAULTS = (
    Fault(
        "R-01", "many book one slot, through two servers",
        (
            f"{_HERE}/test_two_processes.py::test_r01_one_slot_through_two_servers_is_booked_once",
            f"{_SLOTS}::test_of_many_who_book_one_slot_exactly_one_gets_it",
        ),
        (
            f"{_SLOTS}::test_a_check_before_an_insert_does_book_twice",
            f"{_HERE}/test_two_processes.py::test_the_control_callers_who_want_different_slots_all_get_one",
        ),
    ),
    Fault(
        "R-11", "a worker that sends claims is killed",
        (
            f"{_CLAIMS}/test_kills.py::test_r11_a_kill_there_leaves_the_claim_sent_once",
            f"{_CLAIMS}/test_apis.py::test_r11_a_worker_killed_there_leaves_the_claim_sent_once",
            f"{_HERE}/test_kills.py::test_r11_kills_at_random_instants_never_send_a_claim_twice",
        ),
        ("rapport/sandbox/payer/tests/test_corrections.py::test_a_claim_accepted_before_is_denied_as_a_duplicate_and_counted",),
    ),
    Fault(
        "R-12", "the clearinghouse's reply is lost",
        (
            f"{_CLAIMS}/test_claim_flow.py::test_r12_a_lost_reply_is_settled_by_asking_and_never_by_sending_again",
            f"{_CLAIMS}/test_apis.py::test_r12_a_lost_reply_is_settled_by_looking_it_up_and_never_by_sending_again",
        ),
        (
            "rapport/sandbox/payer/tests/test_corrections.py::test_a_claim_accepted_before_is_denied_as_a_duplicate_and_counted",
            f"{_DOORS}::test_an_upload_comes_in_as_often_as_it_is_sent",
        ),
    ),
    Fault(
        "R-14", "the clearinghouse is busy, refuses the key, or says what nobody can read",
        (
            f"{_CLAIMS}/test_apis.py::test_r14_a_busy_clearinghouse_is_asked_again_when_it_says",
            f"{_CLAIMS}/test_apis.py::test_r14_a_wrong_key_waits_for_a_person",
            f"{_CLAIMS}/test_apis.py::test_a_doubt_that_nobody_can_settle_by_asking_waits_for_a_person_who_says_it_arrived",
            f"{_HTTP}/stedi/tests/test_documented.py::test_a_documented_reply_means_what_the_table_says",
            f"{_HTTP}/claim_md/tests/test_documented.py::test_a_documented_reply_means_what_the_table_says",
        ),
        (f"{_DOORS}::test_a_key_gets_its_answer_again_for_a_day_and_after_that_the_call_runs_again",),
    ),
    Fault(
        "R-15", "a worker that was taken for dead wakes up while another has its file",
        (f"{_CLAIMS}/test_apis.py::test_r15_a_worker_that_was_taken_for_dead_has_no_say_any_more",),
        (f"{_CLAIMS}/test_apis.py::test_the_control_while_a_worker_is_at_it_nobody_takes_over_and_its_word_counts",),
    ),
    Fault(
        "R-16", "a claim is asked for twice",
        (
            f"{_CLAIMS}/test_claim_flow.py::test_r16_the_same_key_gives_the_same_claim",
            f"{_CLAIMS}/test_claim_flow.py::test_a_service_cannot_be_asked_for_twice",
        ),
        (f"{_HERE}/test_two_processes.py::test_the_control_fifty_keys_do_fifty_works",),
    ),
    Fault(
        "R-18", "control numbers: a kill, two processes, the last number, a restore",
        (
            f"{_NUMBERS}::test_r18_killed_between_number_and_send_a_file_keeps_its_number_and_the_next_gets_another",
            f"{_NUMBERS}::test_r18_two_processes_that_make_files_at_once_take_different_numbers",
            f"{_NUMBERS}::test_r18_after_the_last_number_nothing_is_sent_rather_than_one_used_again",
            f"{_NUMBERS}::test_r18_after_a_restore_the_count_jumps_ahead_of_what_the_other_side_has_seen",
            f"{_NUMBERS}::test_r18_a_person_who_knows_the_last_number_moves_the_count_up_and_never_back",
        ),
        (f"{_NUMBERS}::test_the_control_the_database_itself_refuses_a_number_that_goes_back",),
    ),
    Fault(
        "R-19", "a claim is to be replaced or voided while it is on its way",
        (f"{_CLAIMS}/test_corrections.py::test_r19_a_claim_on_its_way_is_not_corrected",),
        (f"{_CLAIMS}/test_corrections.py::test_the_control_once_decided_it_is_replaced_with_the_payers_number_and_ends",),
    ),
    Fault(
        "R-21", "one remittance five times at once, in other envelopes too",
        (
            f"{_ERA}::test_r21_the_same_new_remittance_five_times_at_once_posts_once",
            f"{_ERA}::test_r21_what_was_posted_is_not_posted_again_from_a_bigger_file_and_the_rest_is",
            f"{_ERA}::test_r21_a_file_and_a_bigger_one_at_once_post_each_check_once",
        ),
        (f"{_ERA}::test_r22_another_remittance_with_the_same_number_is_kept_and_flagged",),
    ),
    Fault(
        "R-24", "a kill in the middle of posting",
        (
            f"{_HERE}/test_kills.py::test_r24_a_kill_in_the_middle_of_posting_leaves_all_of_a_file_or_nothing",
            f"{_ERA}::test_r24_a_posting_that_breaks_in_the_middle_leaves_nothing_and_can_be_done_again",
        ),
        (f"{_API}::test_a_database_that_fails_in_the_middle_leaves_nothing_and_says_so",),
    ),
    Fault(
        "R-26", "a card was charged, and the reply was lost",
        (
            f"{_CARDS}/test_doubt.py::test_r26_the_processor_took_the_money_and_the_reply_was_lost",
            f"{_CARDS}/test_doubt.py::test_r26_a_reply_that_says_nothing_ends_as_one_charge",
            f"{_CARDS}/test_doubt.py::test_r26_a_kill_there_leaves_one_charge",
            f"{_CARDS}/test_doubt.py::test_r26_a_refund_whose_reply_was_lost_is_given_back_once",
        ),
        ("rapport/connectors/cards_stripe/tests/test_driver.py::test_the_control_another_key_is_another_charge",),
    ),
    Fault(
        "R-27", "two refunds at once, together more than was paid",
        (
            f"{_MONEY}/test_payments_api.py::test_refunds_at_the_same_moment_never_exceed_the_credit",
            f"{_CARDS}/test_charges.py::test_r27_refunds_to_a_card_at_the_same_moment_never_exceed_it",
        ),
        (f"{_MONEY}/test_money_attacks.py::test_the_control_two_refunds_that_only_look_first_give_back_more_than_was_paid",),
    ),
    Fault(
        "R-28", "a processor's notice comes before our own commit, twice, out of order",
        (
            f"{_CARDS}/test_doubt.py::test_r28_a_notice_before_our_own_commit_is_parked_and_then_applied",
            f"{_CARDS}/test_doubt.py::test_r28_a_notice_twice_does_nothing_the_second_time",
            f"{_CARDS}/test_doubt.py::test_r28_a_dispute_ends_the_same_in_whatever_order_it_is_told",
        ),
        (f"{_CARDS}/test_doubt.py::test_the_control_a_notice_that_comes_first_does_contest_the_payment",),
    ),
    Fault(
        "R-29", "thirds, percentages and sliding fees",
        (
            f"{_MONEY}/test_money_attacks.py::test_r29_parts_are_the_whole_where_they_are_odd",
            f"{_MONEY}/test_money_attacks.py::test_r29_parts_are_the_whole_in_ten_thousand_cases",
            f"{_MONEY}/test_money_attacks.py::test_r29_thirds_of_a_payment_are_booked_to_the_cent",
            f"{_MONEY}/test_allocations.py::test_a_sliding_fee_takes_off_a_part_of_what_is_open_for_a_visit",
        ),
        (f"{_MONEY}/test_money_attacks.py::test_the_control_thirds_that_are_each_rounded_lose_a_cent",),
    ),
    Fault(
        "R-30", "random deeds on money, killed in the middle and asked again",
        (
            f"{_MONEY}/test_program.py::test_r30_no_program_of_deeds_makes_or_loses_a_cent",
            f"{_MONEY}/test_program.py::test_r30_nor_do_many_long_ones",
            f"{_MONEY}/test_program.py::test_r30_a_process_killed_in_the_middle_and_begun_again_ends_as_one_that_was_not",
            f"{_MONEY}/test_program.py::test_r30_whenever_it_is_killed",
        ),
        (
            f"{_MONEY}/test_program.py::test_the_control_a_program_that_forgets_its_keys_does_everything_twice",
            f"{_MONEY}/test_program.py::test_the_control_a_lost_cent_is_noticed",
        ),
    ),
    Fault(
        "R-31", "a kill between commit and answer, between send and note",
        (
            f"{_RELAY}::test_a_relay_killed_between_send_and_note_sends_the_same_message_again",
            f"{_RELAY}::test_an_answer_that_was_never_given_tells_its_event_if_it_was_kept",
        ),
        (f"{_RELAY}::test_a_relay_killed_before_it_sends_loses_nothing",),
    ),
    Fault(
        "R-33", "four relays, failing receivers, one order per object",
        (
            f"{_RELAY}::test_four_relays_keep_the_order_of_each_object_and_lose_nothing",
            f"{_RELAY}::test_one_bad_object_does_not_hold_up_the_others",
        ),
        (f"{_RELAY}::test_the_check_of_the_order_can_see_a_relay_that_does_not_keep_it",),
    ),
    Fault(
        "R-40", "PostgreSQL crashes under load, five times",
        (f"{_HERE}/test_restart.py::test_r40_what_was_acknowledged_outlives_a_crash_and_the_rest_can_be_asked_again",),
        (f"{_HERE}/test_restart.py::test_the_control_a_database_that_answers_before_it_has_written_is_found_out",),
    ),
    Fault(
        "R-47", "settings under which an acknowledged write can be lost",
        (
            f"{_SETTINGS}::test_production_refuses_a_database_that_may_forget",
            f"{_SETTINGS}::test_production_refuses_to_serve_and_says_why",
            f"{_SETTINGS}::test_production_refuses_a_replica",
        ),
        (f"{_SETTINGS}::test_the_control_with_safe_settings_production_does_serve",),
    ),
    Fault(
        "R-49", "one key fifty times at once",
        (f"{_HERE}/test_two_processes.py::test_r49_one_key_fifty_times_at_once_does_its_work_once",),
        (f"{_HERE}/test_two_processes.py::test_the_control_fifty_keys_do_fifty_works",),
    ),
    Fault(
        "R-50", "two editors of one thing, on every route with If-Match",
        (f"{_HERE}/test_two_editors.py::test_r50_of_two_editors_at_once_one_saves_and_the_other_learns_what_is_now",),
        (f"{_HERE}/test_two_editors.py::test_the_control_one_after_the_other_both_save",),
    ),
    Fault(
        "R-52", "a soak that looks for somebody else's patient",
        (f"{_HERE}/test_wrong_patient.py::test_r52_no_answer_ever_speaks_of_somebody_elses_patient",),
        (f"{_HERE}/test_wrong_patient.py::test_the_control_a_caller_with_the_wrong_token_is_noticed",),
    ),
    Fault(
        "R-60", "a portal whose session, page or answer fails, and a kill after it wrote",
        (
            f"{_EXCHANGE}/test_kills.py::test_r60_a_kill_there_leaves_one_record",
            f"{_EXCHANGE}/test_soak.py::test_r60_random_trouble_leaves_each_write_made_once",
            f"{_HERE}/test_soak.py::test_r60_minutes_of_random_trouble_leave_the_mirror_equal_nothing_twice_and_nothing_lost",
            f"{_EXCHANGE}/test_writes.py::test_the_reply_is_lost_after_the_portal_took_it",
            f"{_EXCHANGE}/test_writes.py::test_a_session_that_ends_between_form_and_send_is_renewed_and_looked_up_again",
            f"{_EXCHANGE}/test_mirror.py::test_what_is_not_believed_leaves_the_mirror_as_it_was",
            f"{_EXCHANGE}/test_linking.py::test_a_rejected_password_is_sent_once_whoever_asks_and_a_new_one_heals",
        ),
        (
            f"{_EXCHANGE}/test_writes.py::test_the_control_who_sends_again_without_looking_makes_two",
            f"{_EXCHANGE}/test_mirror.py::test_the_control_the_same_rows_believed_do_change_it",
        ),
    ),
)
