"""Every variable is declared, read, checked and documented once."""

import re
import secrets

import pytest

from config import env
from config.env import PROJECT, BadEnvironment, read, read_file
from config.env.declared import VARIABLES
from config.env.variable import Environment

NAMES = [variable.name for variable in VARIABLES]
SECRETS = [variable for variable in VARIABLES if variable.secret_length]


@pytest.fixture
def production():
    """A complete environment that production accepts."""
    return {
        "OUTLAST_ENV": "production",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "JWT_SIGNING_KEY": secrets.token_urlsafe(64),
        "SLIP_SIGNING_KEY": secrets.token_urlsafe(50),
        "PERSONAL_DATA_KEYS": secrets.token_urlsafe(50),
        "DATABASE_URL": f"postgres://outlast:{secrets.token_hex(8)}@db.internal:5432/outlast",
        "REDIS_URL": f"rediss://:{secrets.token_hex(8)}@redis.internal:6379/0",
        "CELERY_BROKER_URL": f"rediss://:{secrets.token_hex(8)}@redis.internal:6379/1",
        "STRIPE_SECRET_KEY": f"sk_live_{secrets.token_hex(12)}",
        "STRIPE_WEBHOOK_SECRETS": f"whsec_{secrets.token_hex(12)}",
        "PUBLIC_URL": "https://pools.example.com",
        "ALLOWED_HOSTS": "pools.example.com",
        "EMAIL_URL": "smtp+tls://mailer:word@mail.example.com:587",
        "DEFAULT_FROM_EMAIL": "Outlast <no-reply@example.com>",
        "TRUSTED_PROXY_COUNT": "1",
    }


def faults_of(source):
    with pytest.raises(BadEnvironment) as caught:
        read(source)
    return caught.value.faults


def names_in(faults):
    return sorted(fault.split(" ")[0] for fault in faults)


class TestStartUp:
    def test_a_complete_production_environment_is_read(self, production):
        values = read(production)
        assert values.text("PUBLIC_URL") == "https://pools.example.com"
        assert values.texts("ALLOWED_HOSTS") == ["pools.example.com"]
        assert values.number("TRUSTED_PROXY_COUNT") == 1
        assert values.flag("DEBUG") is False

    def test_all_faults_are_listed_at_once(self):
        faults = faults_of({"OUTLAST_ENV": "production", "LOG_LEVEL": "LOUD", "DEBUG": "true"})
        required = [variable.name for variable in VARIABLES if variable.required_when_served]
        assert names_in(faults) == sorted([*required, "LOG_LEVEL", "DEBUG"])

    @pytest.mark.parametrize("name", [variable.name for variable in VARIABLES if variable.required_when_served])
    @pytest.mark.parametrize("environment", ["staging", "production"])
    def test_each_required_variable_is_missed_by_name(self, production, name, environment):
        production |= {"OUTLAST_ENV": environment, name: ""}
        production["STRIPE_SECRET_KEY"] = "rk_live_" + "a1b2c3d4" if environment == "production" else "sk_test_a1b2c3d4"
        if name == "STRIPE_SECRET_KEY":
            production[name] = ""
        assert names_in(faults_of(production)) == [name]

    @pytest.mark.parametrize("environment", ["local", "test"])
    def test_local_and_test_need_nothing(self, environment):
        values = read({"OUTLAST_ENV": environment})
        assert values.text("PUBLIC_URL") == "http://127.0.0.1:8000"

    def test_an_unknown_environment_is_refused(self):
        assert names_in(faults_of({"OUTLAST_ENV": "prod"})) == ["OUTLAST_ENV"]

    def test_the_message_names_every_fault_and_the_way_out(self, production):
        production |= {"SECRET_KEY": "", "PUBLIC_URL": "ftp://x"}
        with pytest.raises(BadEnvironment) as caught:
            read(production)
        lines = str(caught.value).splitlines()
        assert lines[0] == "The production environment has 2 faults:"
        assert lines[1].startswith("  - SECRET_KEY is missing.")
        assert lines[2].startswith("  - PUBLIC_URL must be an address that starts with http:// or https://.")
        assert lines[-1] == "See .env.example."


class TestServed:
    @pytest.mark.parametrize(
        ("name", "bad"),
        [
            ("DEBUG", "true"),
            ("DEBUG", "maybe"),
            ("PUBLIC_URL", "http://pools.example.com"),
            ("PUBLIC_URL", "pools.example.com"),
            ("ALLOWED_HOSTS", "*"),
            ("CSRF_TRUSTED_ORIGINS", "http://pools.example.com"),
            ("CSRF_TRUSTED_ORIGINS", "pools.example.com"),
            ("EMAIL_URL", "file:"),
            ("EMAIL_URL", "smtp://mail.example.com"),
            ("EMAIL_URL", "postmark://api.postmarkapp.com"),
            ("EMAIL_URL", "ses://id@eu-west-1"),
            ("EMAIL_WEBHOOK_SECRET", "short"),
            ("DEFAULT_FROM_EMAIL", "nobody"),
            ("DEFAULT_FROM_EMAIL", "Outlast <a@outlast.test>"),
            ("STRIPE_API_BASE", "http://127.0.0.1:9000"),
            ("OUTGOING_HOSTS", "https://feeds.example.com"),
            ("OUTGOING_HOSTS", "*.example.com"),
            ("OUTGOING_LOOPBACK", "true"),
            ("OUTGOING_LOOPBACK", "perhaps"),
            ("STRIPE_SECRET_KEY", "sk_test_abcdefgh"),
            ("STRIPE_SECRET_KEY", "sk_live"),
            ("STRIPE_WEBHOOK_SECRETS", "secret"),
            ("STRIPE_WEBHOOK_SECRETS", "whsec_short"),
            ("DATABASE_URL", "postgres://outlast@db.internal/outlast"),
            ("DATABASE_URL", "mysql://a:b@c/d"),
            ("REDIS_URL", "redis://redis.internal:6379"),
            ("CELERY_BROKER_URL", "amqp://a:b@c"),
            ("TRUSTED_PROXY_COUNT", "one"),
            ("RATE_LIMIT_SCALE", "0"),
            ("FINANCE_TIME_ZONE", "Mars/Olympus"),
            ("LOG_LEVEL", "debug"),
            ("SENTRY_DSN", "sentry"),
            ("OUTLAST_PROCESS", "cron"),
            ("STAFF_TOTP_REQUIRED", "false"),
            ("STAFF_TOTP_REQUIRED", "perhaps"),
            ("STAFF_IDLE_MINUTES", "0"),
            ("STAFF_NETWORKS", "office"),
            ("STAFF_NETWORKS", "203.0.113.7/24"),
        ],
    )
    def test_each_bad_value_is_refused_by_name(self, production, name, bad):
        assert names_in(faults_of(production | {name: bad})) == [name]

    def test_staging_refuses_a_live_key(self, production):
        assert names_in(faults_of(production | {"OUTLAST_ENV": "staging"})) == ["STRIPE_SECRET_KEY"]

    @pytest.mark.parametrize("variable", [v for v in VARIABLES if v.required_when_served], ids=lambda v: v.name)
    def test_the_sample_is_refused(self, production, variable):
        assert variable.name in names_in(faults_of(production | {variable.name: variable.sample}))

    @pytest.mark.parametrize("variable", SECRETS, ids=lambda v: v.name)
    def test_a_short_secret_is_refused_and_not_shown(self, production, variable):
        # Of many letters: sixteen would now and then be too few to look random.
        short = secrets.token_urlsafe(80)[: variable.secret_length - 1]
        faults = faults_of(production | {variable.name: short})
        assert f"at least {variable.secret_length} characters" in faults[0]
        assert not any(short in fault for fault in faults)

    @pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SIGNING_KEY", "SLIP_SIGNING_KEY", "PERSONAL_DATA_KEYS"])
    @pytest.mark.parametrize("bad", ["a" * 80, "abcd" * 20, "django-insecure-k3Jx8Qp1Vz6Rm0Tb5Yw2Nc7Hd4Lf9Sg" * 2])
    def test_a_key_that_nobody_drew_at_random_is_refused(self, production, name, bad):
        assert names_in(faults_of(production | {name: bad})) == [name]

    def test_one_key_for_two_purposes_is_refused(self, production):
        production["JWT_SIGNING_KEY"] = production["SECRET_KEY"] = secrets.token_urlsafe(80)
        assert faults_of(production) == ["JWT_SIGNING_KEY must differ from SECRET_KEY."]

    def test_a_key_among_several_counts_too(self, production):
        production["PERSONAL_DATA_KEYS"] = f"{secrets.token_urlsafe(50)},{production['SLIP_SIGNING_KEY']}"
        assert faults_of(production) == ["PERSONAL_DATA_KEYS must differ from SLIP_SIGNING_KEY."]

    @pytest.mark.parametrize(
        "bad", ["{good},short", "{good},{good}", "{good},{good} {good}", "{good}," + "abcd" * 20, "{good},ü{good}"]
    )
    def test_each_key_of_personal_data_must_be_good(self, production, bad):
        production["PERSONAL_DATA_KEYS"] = bad.format(good=secrets.token_urlsafe(50))
        assert names_in(faults_of(production)) == ["PERSONAL_DATA_KEYS"]

    def test_keys_of_personal_data_rotate(self, production):
        two = [secrets.token_urlsafe(32) for _ in range(2)]
        assert read(production | {"PERSONAL_DATA_KEYS": ", ".join(two)}).texts("PERSONAL_DATA_KEYS") == two

    @pytest.mark.parametrize("bad", ["short", "a" * 80])
    def test_a_weak_previous_key_is_refused(self, production, bad):
        production["JWT_PREVIOUS_SIGNING_KEYS"] = f"{secrets.token_urlsafe(64)},{bad}"
        assert names_in(faults_of(production)) == ["JWT_PREVIOUS_SIGNING_KEYS"]

    @pytest.mark.parametrize("bad", ["short", "{present}"])
    def test_earlier_secret_keys_are_whole_and_not_the_present_one(self, production, bad):
        old = secrets.token_urlsafe(50)
        assert read(production | {"PREVIOUS_SECRET_KEYS": old}).texts("PREVIOUS_SECRET_KEYS") == [old]

        production["PREVIOUS_SECRET_KEYS"] = f"{old},{bad.format(present=production['SECRET_KEY'])}"
        assert names_in(faults_of(production)) == ["PREVIOUS_SECRET_KEYS"]

    def test_a_key_is_not_its_own_predecessor(self, production):
        production["JWT_PREVIOUS_SIGNING_KEYS"] = production["JWT_SIGNING_KEY"]
        assert faults_of(production) == ["JWT_PREVIOUS_SIGNING_KEYS must differ from JWT_SIGNING_KEY."]

    def test_the_list_of_breached_passwords_must_be_one(self, production, tmp_path):
        good, bad = tmp_path / "hashes.txt", tmp_path / "words.txt"
        good.write_text(f"{'0' * 40}:3\n")
        bad.write_text("password\n" * 9)
        assert read(production | {"BREACHED_PASSWORDS": str(good)}).value("BREACHED_PASSWORDS") == good
        for path in (bad, tmp_path / "none", tmp_path):
            assert names_in(faults_of(production | {"BREACHED_PASSWORDS": str(path)})) == ["BREACHED_PASSWORDS"]

    def test_several_webhook_secrets_may_overlap(self, production):
        two = [f"whsec_{secrets.token_hex(12)}" for _ in range(2)]
        assert read(production | {"STRIPE_WEBHOOK_SECRETS": ", ".join(two)}).texts("STRIPE_WEBHOOK_SECRETS") == two


class TestLocal:
    def test_a_live_stripe_key_is_refused(self):
        assert names_in(faults_of({"STRIPE_SECRET_KEY": "sk_live_abcdefgh"})) == ["STRIPE_SECRET_KEY"]

    def test_samples_are_fine(self):
        samples = {variable.name: variable.sample for variable in VARIABLES}
        assert read(samples).text("SECRET_KEY") == samples["SECRET_KEY"]

    def test_time_zone_is_a_zone(self):
        assert str(read({"FINANCE_TIME_ZONE": "America/New_York"}).value("FINANCE_TIME_ZONE")) == "America/New_York"

    def test_hosts_are_names_in_lower_case(self):
        assert read({"OUTGOING_HOSTS": "Feeds.test, 127.0.0.1"}).texts("OUTGOING_HOSTS") == ["feeds.test", "127.0.0.1"]

    def test_blanks_count_as_not_set(self):
        assert read({"LOG_LEVEL": "  "}).text("LOG_LEVEL") == "INFO"


class TestExampleFile:
    def lines(self):
        return (PROJECT / ".env.example").read_text().splitlines()

    def test_it_documents_every_variable_with_its_sample(self):
        found = dict(match.groups() for line in self.lines() if (match := re.match(r"#?([A-Z_]+)=(.*)$", line)))
        assert found == {variable.name: variable.sample for variable in VARIABLES}

    def test_each_has_its_line_of_meaning_above(self):
        lines = self.lines()
        for variable in VARIABLES:
            at = next(i for i, line in enumerate(lines) if re.match(rf"#?{variable.name}=", line))
            assert lines[at - 1].startswith(f"# {variable.meaning}")

    def test_copied_as_it_is_it_sets_nothing(self):
        assert read_file(PROJECT / ".env.example") == {}


class TestFile:
    def test_names_values_and_quotes(self, tmp_path):
        path = tmp_path / ".env"
        path.write_text(
            "# comment\n\nA=1\nexport B = two words \nC='quoted # text'\nD=\"x\"\nE=\nbad line\nlower=1\nF=a=b\n"
        )
        assert read_file(path) == {"A": "1", "B": "two words", "C": "quoted # text", "D": "x", "E": "", "F": "a=b"}

    def test_no_file_no_values(self, tmp_path):
        assert read_file(tmp_path / "none") == {}


def test_names_are_unique_and_meanings_are_sentences():
    assert len(set(NAMES)) == len(NAMES)
    assert [v.name for v in VARIABLES if not v.meaning.endswith(".") or "\n" in v.meaning] == []


def test_every_variable_that_the_code_reads_is_declared():
    """`os.environ` is read in settings and where processes start; nothing else may invent a variable."""
    theirs = {
        "DJANGO_SETTINGS_MODULE",
        "OAUTHLIB_INSECURE_TRANSPORT",
        "PROMETHEUS_MULTIPROC_DIR",
        "PYTEST_XDIST_WORKER",
    }
    pattern = re.compile(r"""(?:os\.environ(?:\.get|\.setdefault)?[\[(]|getenv\()\s*["']([A-Z_]+)["']""")
    found = set()
    for app in ("config", "accounts", "pools", "entries", "payments"):
        for path in (PROJECT / app).rglob("*.py"):
            if "local" not in path.parts:
                found |= set(pattern.findall(path.read_text()))
    assert found - theirs <= set(NAMES)
    assert "OUTLAST_PROCESS" in found


def test_environments_served_to_strangers():
    assert [name for name in Environment if name.is_served] == ["staging", "production"]
    assert env.environment_of({}) is Environment.LOCAL
