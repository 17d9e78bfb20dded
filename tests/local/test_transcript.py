"""The first mapping as its page describes it: every command runs, with the output of the page.

`BRIDGE_WRITE_TRANSCRIPT=1` writes the outputs into the page.
"""

import os
import shlex

from support import transcript
from support.paths import ROOT

PAGE = ROOT / "docs" / "prima-azione.it.md"


def test_the_page_of_the_first_mapping_leads_to_a_message_on_the_phone(start, tmp_path):
    run = start()
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "docs").symlink_to(ROOT / "docs")
    manifest, data = shlex.quote(str(ROOT / "Cargo.toml")), shlex.quote(str(run.data_dir))
    bridge = f'bridge() {{ cargo run -q --manifest-path {manifest} --bin bridge -- --data-dir {data} "$@"; }}'
    page = PAGE.read_text(encoding="utf-8")
    replayed = transcript.replayed(page, bridge, tmp_path / "work", {"BRIDGE_LANG": "it"})
    if "BRIDGE_WRITE_TRANSCRIPT" in os.environ:
        PAGE.write_text(replayed, encoding="utf-8")
    assert replayed == PAGE.read_text(encoding="utf-8")

    (message,) = run.bridge.arrived(1)
    assert message["template"]["name"] == "ordine_spedito"
    header, body, button = message["body"]["template"]["components"]
    assert header["parameters"] == [{"type": "image", "image": {"link": "https://www.example.com/immagini/pacco.jpg"}}]
    assert [one["parameter_name"] for one in body["parameters"]] == ["nome", "codice"]
    assert (button["sub_type"], button["index"]) == ("url", "0")
