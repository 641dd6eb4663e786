#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Self tests of the test gateways: published numbers, captured exchanges of real software, and
round trips.

    selftest.py [VECTORS]      VECTORS: tests/unit/ike/vectors/aggressive-captured.txt
"""

import ipaddress
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from gateways import algorithms, crypto, esp, inner, keys, pki, signatures, wire  # noqa: E402
from gateways import constants as c  # noqa: E402
from gateways.judge import Judge  # noqa: E402

VECTORS = pathlib.Path(__file__).resolve().parents[1] / 'unit/ike/vectors/aggressive-captured.txt'

# the last 16 bytes before the closing 64 one bits, as printed in RFC 2409 (6.1, 6.2) and RFC 3526
# (2 to 5)
PRIME_TAILS = {
    'modp768': '6d51c245e485b576625e7ec6f44c42e9a63a3620',
    'modp1024': 'ae9f24117c4b1fe649286651ece65381',
    'modp1536': '670c354e4abc9804f1746c08ca237327',
    'modp2048': '3995497cea956ae515d2261898fa051015728e5a8aacaa68',
    'modp3072': 'e0fd108e4b82d120a93ad2ca',
    'modp4096': '90a6c08f4df435c934063199',
}


def load_cases(path=VECTORS):
    cases = []
    for line in path.read_text().splitlines():
        match = re.fullmatch(r'(\S+) = (\S+)', line)
        if not match:
            continue
        key, value = match.groups()
        if key == 'case':
            cases.append({'case': value, 'messages': []})
        elif key.startswith('message-'):
            cases[-1]['messages'].append((key[-1], bytes.fromhex(value)))
        else:
            cases[-1][key] = bytes.fromhex(value)
    return cases


class Signatures(unittest.TestCase):
    """Against OpenSSL's command line: what is signed here is verified there, and the other way."""

    VALUE = bytes(range(20))

    def openssl(self, *words, data=b''):
        done = subprocess.run(['openssl', *words], input=data, stdout=subprocess.PIPE, check=False)
        return done.returncode, done.stdout

    def test_rsa_without_digest_info_is_that_of_openssl(self):
        one = pki.key('rsa2048', 'self test')
        with tempfile.NamedTemporaryFile() as file:
            file.write(pki.pem_of_key(one))
            file.flush()
            words = ['pkeyutl', '-sign', '-inkey', file.name, '-pkeyopt', 'rsa_padding_mode:pkcs1']
            code, made = self.openssl(*words, data=self.VALUE)
        self.assertEqual((code, made), (0, signatures.sign_rsa(one, self.VALUE)))

    def test_each_method_verifies_its_own_and_no_changed_one(self):
        kinds = {'sha256': 'ecp256', 'sha384': 'ecp384', 'sha512': 'ecp521', None: 'rsa2048'}
        for method in signatures.METHODS.values():
            if method.client == 'hash':
                continue
            one = pki.key(kinds[method.digest], 'self test')
            value = crypto.digest(method.digest or 'sha1', b'x')
            made = signatures.sign(method, one, value)
            signatures.verify(method, one.public_key(), value, made)
            for changed in (made[:-1] + bytes([made[-1] ^ 1]), made[1:], b''):
                with self.assertRaises(signatures.BadSignature):
                    signatures.verify(method, one.public_key(), value, changed)

    def test_chains_end_at_an_anchor_or_not_at_all(self):
        root = pki.Authority('Example,Root', 'ecp256')
        middle = pki.Authority('Example,Middle', 'ecp256', issuer=root)
        end = middle.issue('Example,End', kind='ecp256')
        old = middle.issue('Example,End', kind='ecp256', ends=-pki.YEAR / 2)
        anchors = (root.certificate,)
        self.assertEqual(pki.chain_problem(end.chain, anchors), '')
        self.assertIn('no issuer', pki.chain_problem(end.chain[:1], anchors))
        self.assertIn('no issuer', pki.chain_problem(end.chain, ()))
        self.assertIn('not valid', pki.chain_problem(old.chain, anchors))


class Published(unittest.TestCase):
    def test_primes_from_the_formula_are_those_of_the_rfcs(self):
        for name, tail in PRIME_TAILS.items():
            text = f'{crypto.prime(name):x}'
            self.assertEqual(len(text) * 4, crypto.MODP[name][0])
            self.assertTrue(
                text.startswith('ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd1'), name
            )
            self.assertTrue(text.endswith(tail + 'f' * 16), name)

    def test_primes_are_safe_primes(self):
        for name in crypto.MODP:
            p = crypto.prime(name)
            self.assertEqual(pow(3, p - 1, p), 1)
            self.assertEqual(pow(3, (p - 3) // 2, (p - 1) // 2), 1)

    def test_hmac_of_rfc_4231_case_2(self):
        value = crypto.mac('sha256', b'Jefe', b'what do ya want for nothing?')
        self.assertEqual(
            value.hex(), '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'
        )

    def test_hmac_of_rfc_2202_case_2(self):
        self.assertEqual(
            crypto.mac('md5', b'Jefe', b'what do ya want for nothing?').hex(),
            '750c783e6ab0b503eaa86e310a5db738',
        )
        self.assertEqual(
            crypto.mac('sha1', b'Jefe', b'what do ya want for nothing?').hex(),
            'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79',
        )

    def test_vendor_ids_are_hashes_of_their_texts(self):
        for text, vid in (
            (b'RFC 3947', c.VID_NATT_RFC),
            (b'draft-ietf-ipsec-nat-t-ike-03', c.VID_NATT_03),
            (b'draft-ietf-ipsec-nat-t-ike-02', c.VID_NATT_02),
            (b'draft-ietf-ipsec-nat-t-ike-02\n', c.VID_NATT_02N),
        ):
            self.assertEqual(crypto.digest('md5', text), vid)


class Captured(unittest.TestCase):
    """charon and these modules must agree about every value of the exchange."""

    def each(self):
        cases = load_cases()
        self.assertGreaterEqual(len(cases), 4)
        for case in cases:
            with self.subTest(case['case']):
                yield case, algorithms.suite(case['case'])

    def skeyids(self, case, suite):
        skeyid = keys.skeyid_psk(suite.hash.name, case['psk'], case['ni'], case['nr'])
        return keys.derive(suite.hash.name, skeyid, case['g-xy'], case['cky-i'], case['cky-r'])

    def test_skeyid_and_phase_1_keys(self):
        for case, suite in self.each():
            value = self.skeyids(case, suite)
            self.assertEqual(value.skeyid, case['skeyid'])
            self.assertEqual(
                (value.d, value.a, value.e), (case['skeyid-d'], case['skeyid-a'], case['skeyid-e'])
            )
            self.assertEqual(keys.encryption_key(value, suite.cipher.key), case['cipher-key'])
            iv = keys.phase1_iv(suite.hash.name, case['g-xi'], case['g-xr'], suite.cipher.block)
            self.assertEqual(iv, case['iv'])

    def test_hash_r_and_hash_i(self):
        for case, suite in self.each():
            value, cookies = self.skeyids(case, suite), case['cky-i'] + case['cky-r']
            self.assertEqual(
                keys.hash_r(
                    value, case['g-xi'], case['g-xr'], cookies, case['sai-b'] + case['idir-b']
                ),
                case['hash-r'],
            )
            self.assertEqual(
                keys.hash_i(
                    value, case['g-xi'], case['g-xr'], cookies, case['sai-b'] + case['idii-b']
                ),
                case['hash-i'],
            )

    def test_every_encrypted_message_opens_and_carries_its_hash(self):
        for case, suite in self.each():
            value = self.skeyids(case, suite)
            last = self.open(case, suite, case['iv'], case['am3'])[1]
            chains, kinds = {}, []
            for _, message in case['messages']:
                header = wire.parse_header(message, Judge())
                start = keys.phase2_iv(suite.hash.name, last, header.mid, suite.cipher.block)
                payloads, chains[header.mid] = self.open(
                    case, suite, chains.get(header.mid, start), message
                )
                self.assertEqual(payloads[0].type, c.HASH)
                kinds.append(header.exchange)
                if header.exchange == c.TRANSACTION:
                    rest = wire.build_chain([(p.type, p.body) for p in payloads[1:]])[1]
                    self.assertEqual(
                        value.prf(value.a, struct.pack('>L', header.mid) + rest), payloads[0].body
                    )
            self.assertEqual(kinds[:9], [c.TRANSACTION] * 6 + [c.QUICK] * 3)

    @staticmethod
    def open(case, suite, iv, message):
        body = message[28:]
        plain = crypto.cbc(suite.cipher, case['cipher-key'], iv, body, False)
        return wire.parse_chain(message[16], plain, Judge())[0], body[-suite.cipher.block :]

    def test_keymat(self):
        for case, suite in self.each():
            value = self.skeyids(case, suite)
            for side in 'ir':
                wanted = case['esp-encryption-' + side] + case.get('esp-integrity-' + side, b'')
                seed = case['qm-seed-' + side]
                # the seed in one piece is what protocol, SPI, nonces and a secret of PFS make
                # together
                self.assertEqual(keys.keymat(value, len(wanted), seed, b''), wanted)

    def test_diffie_hellman_public_values_have_the_right_length(self):
        for case, suite in self.each():
            self.assertEqual(len(case['g-xi']), crypto.public_length(suite.group))


class RoundTrips(unittest.TestCase):
    def test_diffie_hellman_agrees_in_every_group(self):
        rng = random.Random(7)
        for group in algorithms.GROUPS:
            one, two = crypto.DiffieHellman(group, rng), crypto.DiffieHellman(group, rng)
            self.assertEqual(one.shared(two.public), two.shared(one.public))

    def test_bad_public_values_are_refused(self):
        dh, p = crypto.DiffieHellman('modp1024', random.Random(1)), crypto.prime('modp1024')
        for value in (0, 1, p - 1, p, p + 1, 2**1024 - 1):
            with self.assertRaises(crypto.BadPublicValue):
                dh.shared(value.to_bytes(128, 'big'))
        ecp = crypto.DiffieHellman('ecp256', random.Random(1))
        for value in (bytes(64), b'\1' * 64, bytes(63)):
            with self.assertRaises(crypto.BadPublicValue):
                ecp.shared(value)

    def test_esp_opens_what_it_seals_and_nothing_else(self):
        rng, judge = random.Random(3), Judge()
        packet = inner.echo_request('10.1.1.1', '10.2.2.2')
        for name in (
            'aes128-sha1',
            'aes256-sha256',
            'aes192-sha512',
            '3des-md5',
            'des-sha1',
            'aes256gcm16',
        ):
            suite = algorithms.suite(name)
            material = bytes(range(esp.EspSa.material_length(suite)))
            out, back = esp.EspSa(b'abcd', suite, material), esp.EspSa(b'abcd', suite, material)
            sealed = out.seal(packet, rng)
            for position in range(len(sealed)):
                broken = bytearray(sealed)
                broken[position] ^= 1
                with self.assertRaises(esp.EspError):
                    back.open(bytes(broken), judge)
            self.assertEqual(back.open(sealed, judge), packet)
            with self.assertRaises(esp.EspError):
                back.open(sealed, judge)
        self.assertEqual(judge.violations, [])

    def test_echo_is_answered(self):
        reply = inner.answer(inner.echo_request('10.1.1.1', '10.2.2.2', 5))
        self.assertEqual(str(ipaddress.ip_address(reply[12:16])), '10.2.2.2')
        self.assertEqual(
            (reply[20], inner.checksum(reply[20:]), inner.checksum(reply[:20])), (0, 0, 0)
        )


if __name__ == '__main__':
    if len(sys.argv) > 1 and not sys.argv[1].startswith('-'):
        VECTORS = pathlib.Path(sys.argv.pop(1))
    unittest.main()
