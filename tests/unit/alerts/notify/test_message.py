"""Short enough for a lock screen, complete enough to act."""

from pathlib import Path

import pytest

from alerts.notify.config import load_notify, samples
from alerts.notify.errors import SendError
from alerts.notify.message import Templates, compose, shorten
from alerts.summary import MAX_CHARS
from schemas.errors import ConfigError
from schemas.notify import KINDS, Channel, ChannelKind, Language, Secret
from tests.suites.notifier_suite import AT, spike

LINKS = {"wall": "https://wall.example.com/a/{alert_id}", "claim": "https://wall.example.com/c/{alert_id}"}
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def channel(kind: ChannelKind = "dingtalk", language: Language = "zh") -> Channel:
    return Channel(name="c", kind=kind, url=Secret("https://x"), language=language)


@pytest.mark.parametrize(
    ("language", "pieces"),
    [
        ("zh", ("类目 手机", "41%，平时 12%（3.4 倍），333/812 条", "11-10 23:57，已 3 分钟", "双11 · 开门红",
                "地区 华东 30 条（平时 4.2）占增量 62%", "物流 62%、服务 21%", "快递、丢件",
                "> 太差了 ＠all", "> 等了一周", "> 客服不理人",
                "[处置手册](https://wiki.example.com/spike)", "[看板](https://wall.example.com/a/a0001)",
                "[认领](https://wall.example.com/c/a0001)")),
        ("en", ("category 手机", "41%, usually 12% (3.4x), 333 of 812", "11-10 23:57, for 3m", "双11 · 开门红",
                "region 华东 30 (usually 4.2), 62% of the rise", "logistics 62%, service 21%", "快递, 丢件",
                "> 太差了 ＠all",
                "[Runbook](https://wiki.example.com/spike)", "[Wall](https://wall.example.com/a/a0001)")),
    ],
)  # fmt: skip
def test_a_spikes_message_has_all_that_one_needs_to_act(language: Language, pieces: tuple[str, ...]) -> None:
    told = compose(Templates(), channel(language=language), [spike()], now_ms=AT + 30_000, links=LINKS)
    assert [piece for piece in pieces if piece not in told.body] == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_shape_of_alert_has_a_title_of_one_line_and_no_empty_value(kind: ChannelKind, language: Language) -> None:
    for alert in samples():
        for together in ([alert], [alert, alert]):
            told = compose(Templates(), channel(kind, language), together, now_ms=alert.at, links=LINKS)
            assert "\n" not in told.title
            assert 5 < len(told.title) <= MAX_CHARS + 30
            assert not [word for word in ("None", "{", "nan", "[]") if word in told.title + told.body]


def test_the_worst_alert_stands_first_in_a_digest() -> None:
    alerts = [spike(1, severity="info"), spike(2), spike(3, severity="warning")]
    told = compose(Templates(), channel(), alerts, now_ms=AT, links={})
    assert [line[0] for line in told.body.split("\n\n")] == ["🔴", "🟠", "🔵", "["]
    assert told.title.startswith("🔴 3 条告警，最重：差评突增")


def test_a_message_that_must_be_brief_keeps_what_where_and_the_links() -> None:
    full, least = (compose(Templates(), channel(), [spike()], now_ms=AT, links=LINKS, brief=one) for one in (0, 3))
    assert [word for word in ("高频词", "不满在", "主要来自", "> ") if word in least.body] == []
    assert "类目 手机" in least.body
    assert "[看板]" in least.body
    assert full.title == least.title


def test_a_users_template_goes_before_the_one_that_ships(tmp_path: Path) -> None:
    (tmp_path / "title.zh.j2").write_text("{{ severity }}! {{ summary }}")
    (tmp_path / "wecom.title.zh.j2").write_text("W {{ where }}")
    templates = Templates(str(tmp_path))
    titles = [compose(templates, channel(kind), [spike()], now_ms=AT, links={}).title for kind in ("dingtalk", "wecom")]
    assert titles[0].startswith("critical！ 差评突增".replace("！", "!"))
    assert titles[1] == "W 类目 手机"


def test_what_a_template_writes_out_is_made_plain_unless_it_made_the_markup(tmp_path: Path) -> None:
    template = "**{{ labels.value }}** {{ bold(labels.value) }} {{ ('*' ~ labels.value)|upper }}"
    (tmp_path / "title.zh.j2").write_text(template)
    alert = spike(labels={"dimension": "category", "value": "[a]*@b"})
    told = compose(Templates(str(tmp_path)), channel(), [alert], now_ms=AT, links={})
    assert told.title == "**［a］＊＠b** **［a］＊＠b** ＊［A］＊＠B"


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}", "{{ labels.update({'a': 'b'}) }}", "{{ bold.__globals__ }}", "{{ nothing }}",
        "{{ 1 / 0 }}", "{% include '/etc/passwd' %}", "{{ summary",
    ],
)  # fmt: skip
def test_a_template_that_fails_or_reaches_out_is_an_error_and_no_crash(tmp_path: Path, text: str) -> None:
    (tmp_path / "title.zh.j2").write_text(text)
    with pytest.raises(SendError, match=r"broken: template title\.zh"):
        compose(Templates(str(tmp_path)), channel(), [spike()], now_ms=AT, links={})


def test_every_bad_template_is_told_when_the_configuration_is_read(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "alert.zh.j2").write_text("{{ sumary }}")
    (tmp_path / "t" / "title.zh.j2").write_text("{{ summary }}\n{% if mark %}")
    (tmp_path / "t" / "wecom.alrt.en.j2").write_text("{{ summary }}")
    (tmp_path / "t" / "macros.j2").write_text("for others to include")
    path = tmp_path / "notify.yaml"
    channels = "channels: [{name: a, kind: wecom, url: 'https://x.example.com/'}]"
    path.write_text(f"templates: t\n{channels}\nroutes: [{{channels: a}}]\n")
    with pytest.raises(ConfigError) as raised:
        load_notify(path, environment={})
    misspelt, title, alert = (one.removeprefix(f"{tmp_path}/") for one in raised.value.mistakes)
    assert misspelt == "t: wecom.alrt.en.j2: no message asks for it; did you mean wecom.alert.en.j2?"
    assert title.startswith("t: title.zh.j2, line 2: Unexpected end of template")
    assert alert == "t: alert.zh.j2: UndefinedError: 'sumary' is undefined"


def test_the_example_is_sound() -> None:
    path = Path(__file__).parents[4] / "alerts" / "notify" / "example-notify.yaml"
    names = ("DINGTALK_URL", "FEISHU_URL", "WECOM_URL", "HOOK_URL")
    environment = dict.fromkeys(names, "https://x.example.com/") | {
        "DINGTALK_SECRET": "x", "FEISHU_SECRET": "x", "HOOK_SECRET": "x",
        "MAIL_URL": "mailtos://user:pass@mail.example.com?to=chen@example.com",
    }  # fmt: skip
    assert len(load_notify(path, environment=environment).routes) == 5


@pytest.mark.parametrize(
    ("text", "size", "short"),
    [("一二\n三四", 13, "一二\n三四"), ("一二\n三四", 12, "一二…"), ("一二三四", 9, "一二…"), ("", 5, "")],
)
def test_a_text_is_cut_between_lines_or_else_between_characters(text: str, size: int, short: str) -> None:
    assert shorten(text, size) == short
    assert len(short.encode()) <= size
