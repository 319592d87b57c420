"""Jobs behind the wall; the queue's tables for the application role; and what is cleared away."""

from django.db import migrations

from rapport.platform.db.secure import SecurePracticeTable

PURGE = """
INSERT INTO audit_kind (kind, table_name) VALUES ('job', 'jobs_job');

-- Over all practices, so as the owner. Old deliveries go before their events; an event that still
-- has a delivery stays.
CREATE FUNCTION rapport_purge() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    DELETE FROM api_storedanswer WHERE expires_at < clock_timestamp();
    DELETE FROM identity_credential WHERE expires_at < clock_timestamp() - interval '7 days';
    DELETE FROM identity_mfaticket WHERE expires_at < clock_timestamp() - interval '1 day';
    DELETE FROM identity_usedtotpstep WHERE used_at < clock_timestamp() - interval '1 day';
    DELETE FROM identity_attempt WHERE at < clock_timestamp() - interval '2 days';
    DELETE FROM outbox_delivery
        WHERE state <> 'pending' AND created_at < clock_timestamp() - interval '30 days';
    -- The last event of an object stays: the next one is numbered after it.
    DELETE FROM outbox_outboxevent e
        WHERE e.created_at < clock_timestamp() - interval '30 days'
          AND e.fanned_out_at IS NOT NULL
          AND EXISTS (SELECT 1 FROM outbox_outboxevent later
                      WHERE later.practice_id = e.practice_id AND later.object_id = e.object_id
                        AND later.sequence > e.sequence)
          AND NOT EXISTS (SELECT 1 FROM outbox_delivery d
                          WHERE d.practice_id = e.practice_id AND d.event_id = e.id);
    DELETE FROM jobs_job
        WHERE state = 'succeeded' AND finished_at < clock_timestamp() - interval '30 days';
END $$;
REVOKE ALL ON FUNCTION rapport_purge() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_purge() TO rapport_app;
CREATE INDEX delivery_by_event ON outbox_delivery (practice_id, event_id);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0001_initial"),
        ("tenancy", "0001_initial"),
        ("audit", "0002_wall"),
        ("api", "0002_wall"),
        ("identity", "0002_wall"),
        ("outbox", "0003_relay"),
        ("procrastinate", "0041_post_retry_failed_job"),
    ]
    operations = [
        SecurePracticeTable("Job"),
        migrations.RunSQL(PURGE, migrations.RunSQL.noop),
    ]
