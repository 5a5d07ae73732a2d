"""Every mistake of a settings file is reported at once, with its line."""

import stat

import pytest

from sensor.settings import PrivacySettings, Settings, SettingsError, dump, load, token_key

LIMITS = {"identify_hold": 65536}


def problems(tmp_path, text):
    path = tmp_path / "bordertap.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(SettingsError) as error:
        load(path, LIMITS)
    return [line.replace(f"{path}:", "") for line in error.value.problems]


def test_all_mistakes_at_once_with_their_lines(tmp_path):
    text = (
        "home: CN\nhom: x\nlog: everything\nnetworks:\n  - {prefix: 10.0.0.1/8, zone: CN}\n"
        "limits: {identify_hole: 1}\ndetect:\n  min_confidence: 3\n  packz: []\n"
    )
    found = problems(tmp_path, text)
    assert found[0] == "2: unknown key 'hom'; did you mean 'home'?"
    assert found[1].startswith("3: log: ")
    assert found[1].endswith("(one of: crossing, all, none)")
    assert any(line.startswith("8: detect.min_confidence: ") for line in found)
    assert "9: unknown key 'detect.packz'; did you mean 'packs'?" in found
    assert "6: unknown key 'limits.identify_hole'; did you mean 'identify_hold'?" in found
    assert "4: networks: 10.0.0.1/8 has host bits set" in found
    assert len(found) == 6


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("home: [CN\n", "not valid YAML"),
        ("- CN\n", "must hold keys"),
        ("home: [china]\n", "home"),
        ("limits: {identify_hold: -1}\n", "negative"),
    ],
)
def test_each_mistake_is_named(tmp_path, text, expected):
    assert expected in problems(tmp_path, text)[0]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"none\.yaml: cannot be read: No such file"):
        load(tmp_path / "none.yaml")


def test_values_arrive(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(
        "home: [CN, HK]\nnetworks: [{prefix: 203.0.113.0/24, zone: SG, site: dc}]\nflow: {overlap: windows}\n"
        "limits: {identify_hold: 10}\n"
    )
    settings = load(path, LIMITS)
    assert settings.home == ("CN", "HK")
    assert settings.networks[0].zone == "SG"
    assert settings.flow.overlap == "windows"
    assert settings.limits == {"identify_hold": 10}


def test_printed_settings_load_again(tmp_path):
    path = tmp_path / "b.yaml"
    path.write_text(dump(Settings(home=("DE",))), "utf-8")
    assert load(path) == Settings(home=("DE",))
    empty = tmp_path / "empty.yaml"
    empty.write_text("")
    assert load(empty) == Settings()


def test_token_key_from_variable_file_and_state(tmp_path, monkeypatch):
    monkeypatch.setenv("SOME_KEY", " 0123456789abcdef\n")
    assert token_key(PrivacySettings("env:SOME_KEY")) == b"0123456789abcdef"
    file = tmp_path / "key"
    file.write_text("fedcba9876543210\n")
    assert token_key(PrivacySettings(f"file:{file}")) == b"fedcba9876543210"
    monkeypatch.delenv("BORDERTAP_TOKEN_KEY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    made = token_key(PrivacySettings())
    assert len(made) == 64
    assert token_key(PrivacySettings()) == made
    assert stat.S_IMODE((tmp_path / "state/bordertap/token.key").stat().st_mode) == 0o600
    monkeypatch.setenv("BORDERTAP_TOKEN_KEY", "a key of the environment")
    assert token_key(PrivacySettings()) == b"a key of the environment"


@pytest.mark.parametrize("source", ["env:NO_SUCH_VARIABLE", "file:/nowhere/key", "env:SHORT"])
def test_bad_token_keys_are_refused_without_being_shown(source, monkeypatch):
    monkeypatch.setenv("SHORT", "s3cret")
    with pytest.raises(SettingsError) as error:
        token_key(PrivacySettings(source))
    assert "s3cret" not in str(error.value)
