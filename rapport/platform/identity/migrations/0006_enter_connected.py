"""Who enters a practice is told whether another system is its truth, without another question."""

from importlib import import_module

from django.db import migrations

BEFORE = import_module("rapport.platform.identity.migrations.0002_wall").ENTER
NEW = (
    ("livemode boolean, caseload_only boolean,", "livemode boolean, caseload_only boolean, connected boolean,"),
    ("caseload_only := house.caseload_only;", "caseload_only := house.caseload_only; connected := house.system = 'connected';"),
)


def _with(text: str) -> str:
    for old, new in NEW:
        assert old in text, old
        text = text.replace(old, new)
    return text


DROP = "DROP FUNCTION rapport_enter(bytea, text[]);"


class Migration(migrations.Migration):
    dependencies = [("identity", "0005_practice_unbound"), ("tenancy", "0004_system")]
    operations = [migrations.RunSQL(DROP + _with(BEFORE), DROP + BEFORE)]
