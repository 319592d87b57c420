"""Documents behind the wall; how a link enters a practice; who refers to the store of files."""

from django.db import migrations

from rapport.platform.db.secure import SecurePracticeTable

LINKS = """
CREATE FUNCTION rapport_open_document_link(token_digest bytea)
RETURNS TABLE (trouble text, practice_id uuid, link_id uuid, document_id uuid, actor_id uuid)
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    link documents_documentlink%ROWTYPE;
    file_digest text;
    moment timestamptz := clock_timestamp();
BEGIN
    SELECT * INTO link FROM documents_documentlink l WHERE l.digest = token_digest FOR UPDATE;
    IF NOT FOUND THEN
        trouble := 'tampered'; RETURN NEXT; RETURN;
    END IF;
    practice_id := link.practice_id; link_id := link.id; document_id := link.document_id;
    actor_id := link.actor_id;
    SELECT d.sha256 INTO file_digest FROM documents_document d
        WHERE d.practice_id = link.practice_id AND d.id = link.document_id;
    trouble := CASE
        WHEN link.revoked_at IS NOT NULL THEN 'revoked'
        WHEN link.user_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM identity_membership m WHERE m.practice_id = link.practice_id
                AND m.user_id = link.user_id AND m.active) THEN 'revoked'
        WHEN link.single_use AND link.used_at IS NOT NULL THEN 'used'
        WHEN file_digest IS DISTINCT FROM link.sha256 THEN 'tampered'
        WHEN link.expires_at <= moment THEN 'expired' END;
    PERFORM set_config('rapport.practice_id', link.practice_id::text, true),
            set_config('rapport.caseload', CASE WHEN trouble IS NULL THEN '*' ELSE '' END, true);
    IF trouble IS NULL THEN
        UPDATE documents_documentlink l SET used_at = moment
            WHERE l.practice_id = link.practice_id AND l.id = link.id;
    END IF;
    RETURN NEXT;
END $$;
REVOKE ALL ON FUNCTION rapport_open_document_link(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_open_document_link(bytea) TO rapport_app;

CREATE FUNCTION rapport_link_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.document_id, NEW.digest, NEW.sha256, NEW.actor_id, NEW.user_id, NEW.single_use, NEW.expires_at)
        IS DISTINCT FROM
       (OLD.document_id, OLD.digest, OLD.sha256, OLD.actor_id, OLD.user_id, OLD.single_use, OLD.expires_at)
       OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at)
       OR (OLD.used_at IS NOT NULL AND NEW.used_at IS NULL) THEN
        RAISE EXCEPTION 'a link is used or revoked, and not changed otherwise'
            USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER documents_link_stays BEFORE UPDATE ON documents_documentlink
    FOR EACH ROW EXECUTE FUNCTION rapport_link_stays();

CREATE FUNCTION rapport_unowned_blobs(wanted text[]) RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
DECLARE
    owner record;
    rest text[] := wanted;
BEGIN
    FOR owner IN
        SELECT c.relname AS table_name, a.attname AS column_name
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
          AND NOT a.attisdropped AND a.attname ~ '(^|_)blob_key$'
    LOOP
        EXECUTE format('SELECT coalesce(array_agg(k), ''{}'') FROM unnest($1) k WHERE NOT EXISTS '
            || '(SELECT 1 FROM %I t WHERE t.%I = k)', owner.table_name, owner.column_name)
            INTO rest USING rest;
    END LOOP;
    RETURN QUERY SELECT unnest(rest);
END $$;
COMMENT ON FUNCTION rapport_unowned_blobs(text[]) IS
    'Which of these files no column named blob_key (or ending so), of any table, refers to.';
REVOKE ALL ON FUNCTION rapport_unowned_blobs(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_unowned_blobs(text[]) TO rapport_app;

INSERT INTO audit_kind (kind, table_name) VALUES
    ('document', 'documents_document'), ('document_link', 'documents_documentlink');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("documents", "0001_initial"),
        ("tenancy", "0001_initial"),
        ("identity", "0001_initial"),
        ("audit", "0002_wall"),
        ("roster", "0002_wall"),
    ]
    operations = [
        SecurePracticeTable("Document", patient_column="patient_id", append_only=True),
        SecurePracticeTable("DocumentLink"),
        migrations.RunSQL(LINKS, migrations.RunSQL.noop),
    ]
