"""A real Chromium without a window."""

import contextlib
import json

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextlib.contextmanager
def chromium(*flags, requests=False):
    """A browser that Selenium drives.

    :param requests: whether it records them, for `requested`
    """
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*_FLAGS, *flags):
        options.add_argument(flag)
    if requests:
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService("/usr/bin/chromedriver")
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()


def script_errors(driver):
    """What went wrong in the page's scripts."""
    return [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]


def requested(driver):
    """Addresses of all requests since the last call, those of the page's own bytes left out."""
    messages = (json.loads(entry["message"])["message"] for entry in driver.get_log("performance"))
    addresses = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    return [url for url in addresses if not url.startswith(("blob:", "data:"))]
