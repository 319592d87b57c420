"""Which practices have policies that begin or end about now, for the duty that shows the right one."""

from django.db import migrations

TURNING = """
CREATE FUNCTION rapport_turning_practices() RETURNS TABLE (practice_id uuid, time_zone text)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT DISTINCT p.id, p.time_zone::text FROM coverage_policy c JOIN tenancy_practice p ON p.id = c.practice_id
    WHERE c.starts_on BETWEEN current_date - 8 AND current_date + 1
       OR c.ends_on BETWEEN current_date - 8 AND current_date + 1
$$;
REVOKE ALL ON FUNCTION rapport_turning_practices() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_turning_practices() TO rapport_app;
"""


class Migration(migrations.Migration):
    dependencies = [("coverage", "0002_wall")]
    operations = [migrations.RunSQL(TURNING, "DROP FUNCTION rapport_turning_practices()")]
