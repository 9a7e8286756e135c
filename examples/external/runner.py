#!/usr/bin/env python3
"""A virtual user in Python: what `loads-runner --test-runner` starts, as many times as there are users.

    loads-runner --test-runner "python3 examples/external/runner.py" --server-url http://localhost:9200 \
        --users 10 --duration 10s

The convention is small enough for any language. The environment says what to do:

    LOADS_RUN_ID LOADS_AGENT_ID   which run this is, and on which agent
    LOADS_USER LOADS_USERS        number of this virtual user (from 0), and of all of them
    LOADS_ITERATIONS              executions to make, or
    LOADS_DURATION                seconds after which no new execution starts
    LOADS_SEED LOADS_TEST         the run's seed, and the name that was asked for
    LOADS_SERVER_URL              the target
    LOADS_EVENTS_FD               descriptor for events (3); without it they go to standard output
    STATSD_HOST STATSD_PORT       where statsd lines are welcome: counters, gauges and timings

What happened is told as one JSON object per line with a key "loads". Standard output that is no such object is a log.
"""

import http.client
import json
import os
import random
import signal
import socket
import ssl
import sys
import time
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 30


class Events:
    """Writes events. One write per line: lines never mix, and nothing is lost in a buffer when we are killed."""

    def __init__(self, descriptor):
        self.descriptor = descriptor

    def send(self, kind, **fields):
        line = json.dumps({"loads": kind, **fields}, separators=(",", ":")) + "\n"
        data = line.encode()
        while data:
            data = data[os.write(self.descriptor, data):]


class Statsd:
    """Sends statsd lines; does nothing where nobody listens."""

    def __init__(self, host, port):
        self.address = (host, int(port)) if host and port else None
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def timing(self, name, milliseconds):
        if self.address is None:
            return
        try:
            self.socket.sendto(f"{name}:{milliseconds:.3f}|ms".encode(), self.address)
        except OSError:
            pass  # UDP: a measurement may be lost, the test goes on


class Site:
    """The target, over one connection that is kept between requests."""

    def __init__(self, url, events):
        parts = urlsplit(url)
        make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self.connection = make(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)
        self.prefix = parts.path.rstrip("/")
        self.events = events

    def get(self, path, name=None):
        """Makes one request and tells of it as a hit, whether it is answered or not."""
        status, received, started = "protocol", 0, time.perf_counter()
        try:
            self.connection.request("GET", self.prefix + path)
            response = self.connection.getresponse()
            body = response.read()
            status, received = response.status, len(body)
            return response.status, body
        except Exception as error:
            status = error_class(error)
            self.connection.close()
            raise
        finally:
            self.events.send(
                "hit",
                name=name or path,
                method="GET",
                status=status,
                ms=(time.perf_counter() - started) * 1000,
                bytesIn=received,
                bytesOut=0,
            )


def error_class(error):
    """The word that Loads uses for a request without an answer."""
    if isinstance(error, socket.gaierror):
        return "dns"
    if isinstance(error, ssl.SSLError):
        return "tls"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, http.client.RemoteDisconnected):
        return "closed"
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return "reset"
    return "protocol"


def test_front_page(site, chance, events):
    status, body = site.get("/")
    assert status == 200, f"expected 200, got {status}"
    assert "name" in json.loads(body)
    user = chance.randint(1, 1000)
    status, body = site.get(f"/users/{user}", name="/users/:id")
    assert json.loads(body)["id"] == str(user)
    events.send("counter", name="users seen", value=1)


class Stop:
    """True once somebody asked us to end: the running execution is finished, no new one starts."""

    def __init__(self):
        self.asked = False
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self.ask)

    def ask(self, *_):
        self.asked = True


def executions(environment, stop):
    """Numbers of the executions to make, by count or by time."""
    duration = environment.get("LOADS_DURATION")
    limit = None if duration else int(environment.get("LOADS_ITERATIONS") or 1)
    deadline = time.monotonic() + float(duration) if duration else float("inf")
    number = 0
    while not stop.asked and time.monotonic() < deadline and (limit is None or number < limit):
        yield number
        number += 1


def main():
    environment = os.environ
    events = Events(int(environment.get("LOADS_EVENTS_FD") or 1))
    statsd = Statsd(environment.get("STATSD_HOST"), environment.get("STATSD_PORT"))
    site = Site(environment.get("LOADS_SERVER_URL") or "http://localhost:9200", events)
    test = environment.get("LOADS_TEST") or "front_page"
    seed, user = environment.get("LOADS_SEED") or "1", environment.get("LOADS_USER") or "0"
    stop = Stop()
    for number in executions(environment, stop):
        # The same choices in every run with this seed, whatever the order of users and agents.
        chance = random.Random(f"{seed}/{user}/{number}")
        events.send("start", test=test)
        started = time.perf_counter()
        try:
            test_front_page(site, chance, events)
        except AssertionError as failure:
            events.send("failure", message=str(failure))
        except Exception as error:
            events.send("error", type=type(error).__name__, message=str(error))
        else:
            milliseconds = (time.perf_counter() - started) * 1000
            events.send("success", ms=milliseconds)
            statsd.timing("front_page", milliseconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
