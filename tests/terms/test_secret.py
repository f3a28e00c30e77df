"""What is secret, by its name, and what is shown in its place."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pytest_mighetero.harness.command import Command
from pytest_mighetero.spec.flags import KNOWN_FLAGS
from pytest_mighetero.terms.secret import Secrets, says_secret, secrets_of

HUB = "hf_0123456789"


@pytest.mark.parametrize(
    "name",
    [
        *("HF_TOKEN", "TOKEN", "AWS_SECRET_ACCESS_KEY", "X_API_KEY", "NGC_APIKEY"),
        *("DB_PASSWORD", "MYSQL_PASSWD", "DB_PASS", "KEY_PASSPHRASE", "BASIC_AUTH"),
        *("GCP_CREDENTIALS", "x_token", "hub-token", "Registry_Auth_2"),
        *(
            "PGPASSWORD",
            "HFTOKEN",
            "hubToken",
            "CLIENTSECRET",
            "secretKey",
            "AWS_KEY_ID",
        ),
    ],
)
def test_names_that_say_so(name: str) -> None:
    assert says_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        *("KEYBOARD", "MONKEY", "AUTHOR", "GIT_AUTHOR_NAME", "TOKENIZER", "MAX_TOKENS"),
        *("TOKENIZERS_PARALLELISM", "PASSED", "SSH_AUTH_SOCK", "HF_TOKEN_PATH"),
        *(
            "use_token_latencies",
            "eos_token_id",
            "max_token_length",
            "HOTKEY",
            "DONKEY",
        ),
        *(
            "GOOGLE_APPLICATION_CREDENTIALS_FILE",
            "SECRETS_DIR",
            "PATH",
            "PWD",
            "LOG_DIR",
        ),
    ],
)
def test_names_that_do_not(name: str) -> None:
    assert not says_secret(name)


def test_no_flag_of_a_harness_is_hidden_but_for_its_secrets() -> None:
    hidden = {flag for flag in KNOWN_FLAGS if says_secret(flag)}
    assert hidden == {"q3vl_dataset_token", "q3vl_model_token", "q3vl_wandb_api_key"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("make HF_TOKEN=abc x", "make HF_TOKEN=*** x"),
        ("--x_token=abc --y=1", "--x_token=*** --y=1"),
        (
            "RUN_ARGS=--benchmarks=bert --x_token=abc",
            "*--benchmarks=bert --x_token=***",
        ),
        ("--env=HF_TOKEN=abc", "--env=HF_TOKEN=***"),
        ("HF_TOKEN='a b' c", "HF_TOKEN=*** c"),
        ('HF_TOKEN="a b', "HF_TOKEN=***"),
        (f"said {HUB}.", "said ***."),
        ("MINE=abc", "MINE=***"),
        ("HF_TOKEN=***", "HF_TOKEN=***"),
        ("HF_TOKEN= x", "HF_TOKEN= x"),
        ("bert=0,dlrm=stopped", "bert=0,dlrm=stopped"),
        ("99=14.2", "99=14.2"),
    ],
)
def test_a_text_is_masked(text: str, shown: str) -> None:
    secrets = Secrets(frozenset({"MINE"}), (HUB,))
    assert secrets.mask(text).endswith(shown.removeprefix("*"))
    assert secrets.mask(secrets.mask(text)) == secrets.mask(text)


def test_what_a_harness_may_print_of_pytests_environment() -> None:
    environment = {"DB_PASSWORD": "correct horse", "API_KEY": "short", "A": "12345678"}
    variables = {"MINE": "word", "HF_TOKEN": HUB}
    secrets = secrets_of(["MINE"], [variables], [], environment)
    text = f"correct horse, short, 12345678, word, {HUB}"
    assert secrets.mask_output(text) == "***, short, 12345678, ***, ***"
    assert secrets.mask(text) == "correct horse, short, 12345678, word, ***"


@pytest.mark.parametrize(
    "words",
    [
        ["env", f"HF_TOKEN={HUB}", "true"],
        ["docker", "run", "-e", f"HF_TOKEN={HUB}"],
        ["nsys", f"--env-var=A=1,HF_TOKEN={HUB}"],
        ["tool", "--hub-token", HUB],
    ],
)
def test_values_that_words_say_are_known(words: list[str]) -> None:
    secrets = secrets_of([], [], words, {})
    assert secrets.values == (HUB,)


@pytest.mark.parametrize("marked", ["hub_login", "hub-login", "--hub-login"])
@pytest.mark.parametrize("word", ["--hub-login=me", "--hub_login=me", "hub_login=me"])
def test_a_marked_flag_is_hidden_in_either_spelling(marked: str, word: str) -> None:
    text = secrets_of([marked], [], [], {}).mask(word)
    assert text == word.replace("me", "***")


@pytest.mark.parametrize("words", [["--db_password", "p1"], ["-password", "p1"]])
def test_a_value_apart_from_its_flag_is_hidden_beside_that_alone(
    words: list[str], tmp_path: Path
) -> None:
    secrets = secrets_of([], [], ["tool", *words, "--x_token", "-y"], {})
    both = " ".join(words)
    assert secrets.mask(f"p1: {both} p1, {both}0") == (
        f"p1: {words[0]} *** p1, {words[0]} p10"
    )
    command = Command(("tool", *words, f"RUN_ARGS=--a {both}"), tmp_path, {}, secrets)
    assert f"tool {words[0]} *** 'RUN_ARGS=--a {words[0]} ***'" in str(command)
    assert "p1" not in command.line()


def test_what_must_stay_readable_is_hidden_beside_its_name_alone() -> None:
    variables = {"DB_PASSWORD": "mobilenet", "X_KEY": "/data/results", "Y_KEY": HUB}
    public = ["ssd-mobilenet", "/data/results"]
    environment = {"MY_SECRET": "mobilenet"}
    secrets = secrets_of([], [variables], [], environment, public)
    text = f"ssd-mobilenet in /data/results/1, DB_PASSWORD=mobilenet {HUB}"
    assert secrets.mask_output(text) == (
        "ssd-mobilenet in /data/results/1, DB_PASSWORD=*** ***"
    )


def test_a_commands_text_hides_and_its_line_asks(tmp_path: Path) -> None:
    value = """it's "a b" $HOME"""
    argv = ("env", f"X_TOKEN={value}", "sh", "-c", 'printf "%s|%s" "$X_TOKEN" "$Y_KEY"')
    secrets = secrets_of([], [{"Y_KEY": value}], argv, {})
    command = Command(argv, tmp_path, {"Y_KEY": value}, secrets)
    assert value not in str(command)
    assert "it" not in str(command).replace("printf", "")
    assert "Y_KEY=*** env 'X_TOKEN=***'" in str(command)
    environment = {"X_TOKEN": "one two", "Y_KEY": "'"}
    said = subprocess.run(
        ["bash", "-c", command.line()], env=environment, capture_output=True, check=True
    )
    assert said.stdout == b"one two|'"
    refused = subprocess.run(
        ["bash", "-c", command.line()], env={}, capture_output=True, check=False
    )
    assert refused.returncode
    assert b"X_TOKEN: is not printed" in refused.stderr
