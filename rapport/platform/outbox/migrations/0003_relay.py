"""How events become deliveries, and how a relay takes one: over all practices, as the owner."""

from django.db import migrations, models

FUNCTIONS = """
CREATE INDEX delivery_leased ON outbox_delivery (practice_id, endpoint_id)
    WHERE leased_until IS NOT NULL;
CREATE INDEX delivery_by_time ON outbox_delivery (practice_id, created_at, id);

-- One relay at a time: two could make the deliveries of one object's events out of order.
CREATE FUNCTION rapport_fan_out(most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    seen integer;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('outbox-fan-out', 0)) THEN RETURN 0; END IF;
    WITH batch AS (
        SELECT e.practice_id, e.id, e.type, e.object_id, e.sequence FROM outbox_outboxevent e
        WHERE e.fanned_out_at IS NULL ORDER BY e.position LIMIT most
    ), made AS (
        INSERT INTO outbox_delivery (practice_id, id, endpoint_id, event_id, object_id, sequence,
            state, attempts, next_attempt_at, fence, last_error, created_at)
        SELECT b.practice_id, gen_random_uuid(), w.id, b.id, b.object_id, b.sequence,
            'pending', 0,
            -- Those behind another wait for it to wake them; a minute heals a wake-up that was lost.
            clock_timestamp() + CASE WHEN
                row_number() OVER (PARTITION BY w.practice_id, w.id, b.object_id ORDER BY b.sequence) > 1
                OR EXISTS (SELECT 1 FROM outbox_delivery h
                    WHERE h.practice_id = w.practice_id AND h.endpoint_id = w.id
                      AND h.object_id = b.object_id AND h.state = 'pending')
                THEN interval '1 minute' ELSE interval '0' END,
            0, '', clock_timestamp()
        FROM batch b JOIN outbox_webhookendpoint w ON w.practice_id = b.practice_id
        WHERE w.state = 'enabled' AND (cardinality(w.event_types) = 0 OR b.type = ANY (w.event_types))
        ON CONFLICT DO NOTHING
    ), marked AS (
        UPDATE outbox_outboxevent e SET fanned_out_at = clock_timestamp()
        FROM batch b WHERE e.practice_id = b.practice_id AND e.id = b.id
        RETURNING 1
    )
    SELECT count(*) INTO seen FROM marked;
    RETURN seen;
END $$;

-- The head of the line of each object only; no more than three at once to one endpoint, one to an
-- endpoint that is failing, so that a slow receiver does not hold up the others.
CREATE FUNCTION rapport_lease_delivery(seconds integer, only_practice uuid)
RETURNS TABLE (of_practice uuid, delivery uuid, lease_fence integer)
LANGUAGE sql VOLATILE SECURITY DEFINER
-- Always along the partial indexes of what is due, also before the tables' first ANALYZE.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
    WITH busy AS (
        SELECT l.practice_id, l.endpoint_id FROM outbox_delivery l
        JOIN outbox_webhookendpoint v ON v.practice_id = l.practice_id AND v.id = l.endpoint_id
        WHERE l.leased_until > clock_timestamp() AND l.leased_until IS NOT NULL
        GROUP BY l.practice_id, l.endpoint_id, v.failing_since
        HAVING count(*) >= CASE WHEN v.failing_since IS NULL THEN 3 ELSE 1 END
    ), due AS (
        SELECT c.practice_id, c.id FROM outbox_delivery c
        JOIN outbox_webhookendpoint w ON w.practice_id = c.practice_id AND w.id = c.endpoint_id
        WHERE c.state = 'pending' AND c.next_attempt_at <= clock_timestamp()
          AND (c.leased_until IS NULL OR c.leased_until < clock_timestamp())
          AND w.state = 'enabled'
          AND (only_practice IS NULL OR c.practice_id = only_practice)
          AND NOT EXISTS (
              SELECT 1 FROM outbox_delivery h
              WHERE h.practice_id = c.practice_id AND h.endpoint_id = c.endpoint_id
                AND h.object_id = c.object_id AND h.state = 'pending' AND h.sequence < c.sequence)
          AND NOT EXISTS (
              SELECT 1 FROM busy b
              WHERE b.practice_id = c.practice_id AND b.endpoint_id = c.endpoint_id)
        ORDER BY c.next_attempt_at LIMIT 1
        FOR UPDATE OF c SKIP LOCKED
    )
    UPDATE outbox_delivery d
    SET leased_until = clock_timestamp() + make_interval(secs => seconds), fence = d.fence + 1
    FROM due WHERE d.practice_id = due.practice_id AND d.id = due.id
    RETURNING d.practice_id, d.id, d.fence
$$;

CREATE FUNCTION rapport_webhook_keys() RETURNS TABLE (endpoint uuid, public_key text, is_current boolean)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT w.id, w.public_key, true FROM outbox_webhookendpoint w
    WHERE w.public_key <> '' AND w.state <> 'deleted'
    UNION ALL
    SELECT w.id, w.previous_public_key, false FROM outbox_webhookendpoint w
    WHERE w.previous_public_key <> '' AND w.state <> 'deleted'
      AND w.previous_secret_until > clock_timestamp()
$$;

-- A restored database lives in a cluster that counts its transactions anew. The shift lets the
-- log's numbers go on from where they were, so that cursors of before still hold.
CREATE TABLE outbox_epoch (id integer PRIMARY KEY CHECK (id = 1), shift bigint NOT NULL);
INSERT INTO outbox_epoch VALUES (1, 0);
REVOKE INSERT, UPDATE, DELETE ON outbox_epoch FROM rapport_app;

CREATE FUNCTION rapport_after_restore() RETURNS void LANGUAGE sql AS $$
    UPDATE outbox_epoch SET shift = greatest(0, (
        SELECT coalesce(max(e.transaction_id), 0) + 1 FROM outbox_outboxevent e
    ) - pg_snapshot_xmin(pg_current_snapshot())::text::bigint)
$$;

REVOKE ALL ON FUNCTION rapport_fan_out(integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION rapport_lease_delivery(integer, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION rapport_webhook_keys() FROM PUBLIC;
REVOKE ALL ON FUNCTION rapport_after_restore() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_fan_out(integer) TO rapport_app;
GRANT EXECUTE ON FUNCTION rapport_lease_delivery(integer, uuid) TO rapport_app;
GRANT EXECUTE ON FUNCTION rapport_webhook_keys() TO rapport_app;

INSERT INTO audit_kind (kind, table_name) VALUES
    ('event', 'outbox_outboxevent'), ('webhook_endpoint', 'outbox_webhookendpoint'),
    ('delivery', 'outbox_delivery');
"""


class Migration(migrations.Migration):
    dependencies = [("outbox", "0002_wall"), ("audit", "0002_wall")]
    operations = [
        migrations.AddField("webhookendpoint", "public_key", models.CharField(blank=True, max_length=60)),
        migrations.AddField("webhookendpoint", "previous_public_key", models.CharField(blank=True, max_length=60)),
        migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop),
    ]
