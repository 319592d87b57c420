"""Claims behind the wall; what was sent is frozen; and which practices have channels."""

from django.db import migrations

from rapport.platform.db.secure import SecurePracticeTable

FREEZE = """
CREATE FUNCTION claims_freeze_submission() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a submission is never removed' USING ERRCODE = '42501';
    END IF;
    IF (OLD.practice_id, OLD.id, OLD.claim_id, OLD.channel_id, OLD.attempt, OLD.key, OLD.file_name,
        OLD.interchange_number, OLD.group_number, OLD.batch_id, OLD.blob_key, OLD.sha256, OLD.size,
        OLD.positions, OLD.snapshot_sealed, OLD.created_at)
       IS DISTINCT FROM
       (NEW.practice_id, NEW.id, NEW.claim_id, NEW.channel_id, NEW.attempt, NEW.key, NEW.file_name,
        NEW.interchange_number, NEW.group_number, NEW.batch_id, NEW.blob_key, NEW.sha256, NEW.size,
        NEW.positions, NEW.snapshot_sealed, NEW.created_at)
    THEN
        RAISE EXCEPTION 'what was sent is frozen' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER claims_submission_frozen BEFORE UPDATE OR DELETE ON claims_submission
    FOR EACH ROW EXECUTE FUNCTION claims_freeze_submission();

CREATE FUNCTION claims_forbid_lower_numbers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.last_interchange < OLD.last_interchange OR NEW.last_group < OLD.last_group THEN
        RAISE EXCEPTION 'control numbers only grow' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER claims_channel_numbers_grow BEFORE UPDATE ON claims_channel
    FOR EACH ROW EXECUTE FUNCTION claims_forbid_lower_numbers();

CREATE FUNCTION rapport_channel_practices() RETURNS TABLE (practice_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT DISTINCT c.practice_id FROM claims_channel c WHERE c.active AND c.kind <> 'download'
$$;
REVOKE ALL ON FUNCTION rapport_channel_practices() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_channel_practices() TO rapport_app;

INSERT INTO audit_kind (kind, table_name) VALUES
    ('claim', 'claims_claim'), ('channel', 'claims_channel');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("claims", "0001_initial"),
        ("tenancy", "0001_initial"),
        ("audit", "0002_wall"),
        ("roster", "0002_wall"),
        ("coverage", "0002_wall"),
        ("scheduling", "0002_wall"),
        ("charting", "0002_wall"),
    ]
    operations = [
        SecurePracticeTable("Channel"),
        SecurePracticeTable("Claim", patient_column="patient_id"),
        SecurePracticeTable("ClaimLine"),
        SecurePracticeTable("Billed"),
        SecurePracticeTable("ClaimHistory", append_only=True),
        SecurePracticeTable("Submission"),
        SecurePracticeTable("InboundFile"),
        SecurePracticeTable("Acknowledgement", append_only=True),
        migrations.RunSQL(FREEZE, migrations.RunSQL.noop),
    ]
