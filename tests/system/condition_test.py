#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The node condition of Kubernetes, against a server that takes what it is sent: True, False, Unknown; and a
server that refuses. usage: condition_test.py SCRIPT FLYBALL. Exit code 77 skips: no curl."""
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading

SCRIPT, CLI = sys.argv[1:3]
TAKEN, ANSWER = [], [200]


class Server(http.server.BaseHTTPRequestHandler):
    def do_PATCH(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        TAKEN.append((self.path, dict(self.headers), json.loads(body)))
        self.send_response(ANSWER[0])
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    if not shutil.which('curl'):
        sys.exit(77)
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (('token', 's3cret'), ('ca.crt', '')):
            with open(f'{folder}/{name}', 'w', encoding='utf-8') as file:
                file.write(text)

        def flyball(state, age_s):
            with open(folder + '/flyball', 'w', encoding='utf-8') as file:
                told = {'host': 'a', 'age_ns': int(age_s * 1e9),
                        'records': [{'state': 'boot'}, {'state': state}]}
                file.write(f"#!/bin/sh\ncat <<'END'\n{json.dumps(told)}\nEND\n")
            os.chmod(folder + '/flyball', 0o755)
            return folder + '/flyball'

        def condition(program):
            environment = dict(os.environ, ACCOUNT=folder, FLYBALL=program, HISTORY=folder + '/none',
                               API=f'http://127.0.0.1:{server.server_port}')
            done = subprocess.run([SCRIPT, 'node-7', 'gpu-7', 'once'], check=False, env=environment,
                                  stderr=subprocess.PIPE, encoding='utf-8', timeout=60)
            path, headers, body = TAKEN[-1]
            assert path == '/api/v1/nodes/node-7/status'
            assert headers['Authorization'] == 'Bearer s3cret'
            assert headers['Content-Type'] == 'application/strategic-merge-patch+json'
            one, = body['status']['conditions']
            print(done.returncode, one)
            assert one['type'] == 'FlyballPower' and one['lastTransitionTime'] <= one['lastHeartbeatTime']
            return done.returncode, one['status'], one['reason']

        assert condition(flyball('leased', 0.2)) == (0, 'True', 'Leased')
        assert condition(flyball('fail-safe', 0.2)) == (0, 'False', 'FailSafe')
        assert condition(flyball('leased', 9)) == (0, 'Unknown', 'AgentSilent')
        assert condition(CLI) == (0, 'Unknown', 'NoHistory')
        ANSWER[0] = 403
        assert condition(flyball('leased', 0.2)) == (1, 'True', 'Leased')
    server.shutdown()


if __name__ == '__main__':
    main()
