"""What decides when a missing device is looked for again."""

from edgeface.devices import changes


def test_a_server_that_only_the_configuration_of_alsa_names_is_watched(tmp_path, monkeypatch):
    socket = tmp_path / "native"
    config = tmp_path / "asound.conf"
    config.write_text(
        f'pcm.!default {{ type pulse; server "unix:{socket}"; device mic }}\n# server "unix:/no"\n'
    )
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(config))
    for server in ("", "unix:/elsewhere"):
        monkeypatch.setenv("PULSE_SERVER", server)
        before = changes._socket_stamp()
        socket.write_text("")
        assert changes._socket_stamp() != before
        socket.unlink()
