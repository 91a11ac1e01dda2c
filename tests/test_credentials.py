"""What looks like a password or a key is refused in params, and masked in whatever is printed or published."""

import pytest

from tripost.credentials import holds_credentials, masked, masked_address, secrets_of

KEY = "A1b2C3d4E5f6G7h8"
URIS = [
    f"http://127.0.0.1:1/mlflow?api_key=sk-{KEY}",
    f"postgresql://host/db?user=u&password={KEY}",
    f"sqlite:///x.db?key={KEY}",
    f"file://user:{KEY}@host/x",
    f"mssql://u:{KEY} with blanks@host/db",
    f"https://host/x#access_token={KEY}",
    f"https://AIza{KEY}@host/",
]


@pytest.mark.parametrize("uri", URIS)
def test_an_address_is_shown_without_its_secret(uri: str) -> None:
    assert KEY not in masked_address(uri)
    assert KEY not in masked(f"could not reach {uri}: refused", secrets_of(uri))


@pytest.mark.parametrize(
    "prefix", ["hf_", "sk-", "ghp_", "gho_", "github_pat_", "glpat-", "xoxb-", "AKIA", "AIza", "eyJ"]
)
def test_a_key_is_known_by_its_beginning(prefix: str) -> None:
    assert holds_credentials(f"run of {prefix}{KEY}")
    assert KEY not in masked(f"run of {prefix}{KEY}")


@pytest.mark.parametrize(
    "text",
    ["imported/own.jsonl", "sqlite:////home/me@work/mlflow.db", "length 3, depth [2]", "http://host:5000/x", "sk-1"],
)
def test_usual_values_are_left_alone(text: str) -> None:
    assert not holds_credentials(text)
    assert masked(text) == text
