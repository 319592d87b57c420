"""Which test proves which fault, and which one shows that the proof can fail."""

from __future__ import annotations

from dataclasses import dataclass

_API = "rapport/platform/api/tests/test_failures.py"
_CLAIMS = "rapport/rooms/claims/tests"
_TROUBLE = f"{_CLAIMS}/test_clearinghouse_trouble.py"
_WORKERS = f"{_CLAIMS}/test_two_workers.py"
_ORDERS = f"{_CLAIMS}/test_answers_in_any_order.py"
_HTTP = "rapport/connectors/clearinghouse_http/tests/test_driver.py::TestHttpClearinghouse"
_SFTP = "rapport/connectors/clearinghouse_sftp/tests/test_driver.py::TestSftpClearinghouse"
_NUMBERS = f"{_CLAIMS}/test_control_numbers.py"
_EXCHANGE = "rapport/rooms/exchange/tests"
_ERA = "rapport/rooms/remittance/tests/test_posting.py"
_BACK = "rapport/rooms/remittance/tests/test_reversals.py"
_MONEY = "rapport/rooms/ledger/tests"
_CARDS = "rapport/rooms/payments/tests"
_RELAY = "rapport/platform/outbox/tests/test_order_and_crashes.py"
_SLOTS = "rapport/rooms/scheduling/tests/test_races.py"
_HERE = "tests/faults"
_DOORS = "rapport/sandbox/payer/tests/test_doors.py"
_APIS = "rapport/connectors/clearinghouse_http"
_QUESTIONS = "rapport/rooms/coverage/tests/test_eligibility_files.py"
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
            f"{_QUESTIONS}::test_a_worker_killed_between_note_and_send_asks_nobody_twice",
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
        "R-13", "half a request, half a reply",
        (
            f"{_TROUBLE}::test_r13_half_a_request_is_never_counted_and_half_a_reply_is_asked_about",
            f"{_TROUBLE}::test_r13_over_sftp_a_line_that_is_cut_before_the_rename_has_not_handed_anything_in",
            *(
                f"{driver}::{test}"
                for driver in (_HTTP, _SFTP)
                for test in (
                    "test_half_a_file_is_not_held_and_goes_through_whole_afterwards",
                    "test_a_broken_answer_to_a_question_is_in_doubt",
                    "test_a_list_that_breaks_off_loses_nothing",
                )
            ),
            f"{_HTTP}::test_half_a_reply_is_no_reply",
        ),
        (
            f"{_HTTP}::test_a_file_arrives_byte_for_byte",
            f"{_SFTP}::test_a_file_arrives_byte_for_byte",
            f"{_TROUBLE}::test_the_control_without_trouble_a_claim_is_sent_at_once",
        ),
    ),
    Fault(
        "R-14", "a clearinghouse answers 500, 429, 409, 422, a page, or the same yes twice",
        (
            f"{_TROUBLE}::test_r14_each_answer_over_http_has_its_state_its_wait_and_an_end",
            f"{_TROUBLE}::test_r14_each_answer_over_sftp_has_its_state_its_wait_and_an_end",
            f"{_TROUBLE}::test_r14_what_is_not_taken_is_rejected_with_its_reason_and_never_tried_again",
            f"{_TROUBLE}::test_r14_a_file_that_was_handed_in_before_has_its_first_receipt_and_is_taken_once",
            f"{_TROUBLE}::test_r14_tries_in_vain_come_ever_more_seldom_and_are_put_before_a_person",
            f"{_HTTP}::test_a_busy_clearinghouse_says_when_to_come_back",
            f"{_HTTP}::test_a_reply_that_says_nothing_is_in_doubt_whether_or_not_the_file_was_taken",
            f"{_CLAIMS}/test_apis.py::test_r14_a_busy_clearinghouse_is_asked_again_when_it_says",
            f"{_CLAIMS}/test_apis.py::test_r14_a_wrong_key_waits_for_a_person",
            f"{_CLAIMS}/test_apis.py::test_a_doubt_that_nobody_can_settle_by_asking_waits_for_a_person_who_says_it_arrived",
            f"{_APIS}/stedi/tests/test_documented.py::test_a_documented_reply_means_what_the_table_says",
            f"{_APIS}/claim_md/tests/test_documented.py::test_a_documented_reply_means_what_the_table_says",
        ),
        (
            f"{_TROUBLE}::test_the_control_without_trouble_a_claim_is_sent_at_once",
            f"{_TROUBLE}::test_the_control_who_sends_anew_after_a_500_is_counted_twice",
            f"{_DOORS}::test_a_key_gets_its_answer_again_for_a_day_and_after_that_the_call_runs_again",
        ),
    ),
    Fault(
        "R-15", "two workers have one claim: the first slept through its lease",
        (
            f"{_WORKERS}::test_r15_of_two_workers_the_one_that_slept_writes_nothing_and_the_payer_has_the_claim_once",
            f"{_CLAIMS}/test_apis.py::test_r15_a_worker_that_was_taken_for_dead_has_no_say_any_more",
            f"{_WORKERS}::test_r15_an_old_no_does_not_make_what_the_second_is_sending_ready_for_a_third",
            f"{_HTTP}::test_many_workers_with_one_file_have_it_accepted_once",
            f"{_SFTP}::test_many_workers_with_one_file_have_it_accepted_once",
        ),
        (
            f"{_WORKERS}::test_r15_the_control_while_the_first_has_its_lease_a_second_worker_does_nothing",
            f"{_CLAIMS}/test_apis.py::test_the_control_while_a_worker_is_at_it_nobody_takes_over_and_its_word_counts",
            f"{_WORKERS}::test_r15_the_control_with_the_seconds_fence_the_old_no_would_be_believed",
            f"{_TROUBLE}::test_the_control_who_sends_anew_after_a_500_is_counted_twice",
        ),
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
        "R-17", "SFTP: an upload dies, a rename fails, the file is there already",
        (
            f"{_SFTP}::test_a_connection_cut_before_the_rename_is_certainly_not_sent",
            f"{_SFTP}::test_a_refused_rename_is_looked_at_before_it_is_believed",
            f"{_SFTP}::test_a_rename_that_never_happened_is_in_doubt_and_then_not_held",
            f"{_SFTP}::test_a_rename_slower_than_our_patience_cannot_succeed_after_we_were_told_not_held",
            f"{_SFTP}::test_sending_twice_has_the_same_receipt_and_is_accepted_once",
            f"{_SFTP}::test_other_bytes_under_the_same_name_are_refused_and_in_doubt_when_asked_for",
            f"{_TROUBLE}::test_r14_each_answer_over_sftp_has_its_state_its_wait_and_an_end",
            f"{_TROUBLE}::test_r17_other_bytes_under_the_name_are_refused_and_the_claim_waits_for_a_person",
        ),
        (
            f"{_SFTP}::test_a_file_arrives_byte_for_byte",
            f"{_TROUBLE}::test_the_control_without_trouble_a_claim_is_sent_at_once",
        ),
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
        "R-20", "999 and 277CA in any order, late, twice, of claims that nobody knows",
        (
            f"{_ORDERS}::test_r20_in_whatever_order_answers_come_and_however_often_the_end_is_the_same",
            f"{_ORDERS}::test_r20_an_answer_that_comes_late_reopens_nothing",
            f"{_ORDERS}::test_r20_what_is_about_nothing_of_ours_is_parked_and_moves_nothing",
            f"{_ORDERS}::test_r20_what_was_parked_or_could_not_be_read_is_shown",
            f"{_ORDERS}::test_r20_after_it_was_sent_anew_answers_to_the_first_file_move_nothing",
            f"{_QUESTIONS}::test_an_answer_and_a_999_that_contradicts_it_end_alike_in_either_order",
            f"{_QUESTIONS}::test_the_same_answers_again_in_another_file_change_nothing",
        ),
        (
            f"{_QUESTIONS}::test_the_control_an_answer_that_is_not_the_same_question_is_taken",
            f"{_ORDERS}::test_r20_the_control_each_answer_alone_ends_elsewhere",
            f"{_ORDERS}::test_r20_the_control_where_the_last_answer_wins_the_order_is_seen",
        ),
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
        "R-22", "two different remittances with one number",
        (
            f"{_ERA}::test_r22_another_remittance_with_the_same_number_is_kept_and_flagged",
            f"{_BACK}::test_r22_checks_of_nothing_may_share_a_number_and_both_are_kept",
        ),
        (f"{_BACK}::test_r22_the_control_a_check_of_nothing_with_a_number_of_its_own_is_not_flagged",),
    ),
    Fault(
        "R-23", "a remittance whose sums are wrong",
        (
            f"{_ERA}::test_r23_a_remittance_that_does_not_balance_is_held_and_posts_nothing",
            f"{_BACK}::test_r23_a_file_with_one_wrong_sum_at_any_level_posts_nothing",
        ),
        (f"{_BACK}::test_r23_the_control_the_same_file_with_right_sums_posts",),
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
        "R-25", "a decision, its reversal and the next decision in any order, each twice",
        (
            f"{_BACK}::test_r25_in_whatever_order_a_decision_its_reversal_and_the_next_one_come_the_end_is_the_same",
            f"{_BACK}::test_r25_the_same_decision_is_not_taken_back_twice",
        ),
        (f"{_BACK}::test_r25_the_control_without_the_reversal_the_next_decision_ends_elsewhere",),
    ),
    Fault(
        "R-26", "a card was charged, and the reply was lost",
        (
            f"{_CARDS}/test_doubt.py::test_r26_the_processor_took_the_money_and_the_reply_was_lost",
            f"{_CARDS}/test_doubt.py::test_r26_a_reply_that_says_nothing_ends_as_one_charge",
            f"{_CARDS}/test_doubt.py::test_r26_a_kill_there_leaves_one_charge",
            f"{_CARDS}/test_doubt.py::test_r26_a_refund_whose_reply_was_lost_is_given_back_once",
            f"{_CARDS}/test_instalments.py::test_r26_a_kill_there_charges_a_due_instalment_once",
        ),
        (
            "rapport/connectors/cards_stripe/tests/test_driver.py::test_the_control_another_key_is_another_charge",
            f"{_CARDS}/test_instalments.py::test_the_control_who_takes_silence_for_a_no_charges_the_instalment_twice",
        ),
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
