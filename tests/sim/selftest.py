#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Shows that the conversations can fail: an initiator in Python that is right passes those for
which it is made, and with one fault at a time it is caught by the case named here.

    selftest.py        prints `N passed, N failed`
"""

import pathlib
import sys

import run

INITIATOR = pathlib.Path(run.__file__).resolve().parents[1] / 'gateways/selftest_initiator.py'

RIGHT = (
    'test_plain_psk_with_a_pull',
    'test_plain_psk_with_a_static_address',
    'test_plain_psk_with_a_push',
    'test_g_strongswan_pulls_after_status',
    'test_g_srx_pushes_after_status',
    'test_g_screenos_pushes_before_status',
    'test_g_fritzbox_speaks_draft_03_only',
    'test_g_racoon',
    'test_g_libreswan_pads_the_attribute_payload',
    'test_natt_off',
    'test_two_networks_are_two_sa_pairs',
    'test_pfs[modp2048]',
    'test_pfs[ecp384]',
    'test_phase2[aes256gcm16]',
    'test_phase2[3des-md5]',
    'test_one_attempt_a_group_in_order',
    'test_forged_refusal_does_not_change_the_group[no-proposal]',
    'test_wrong_psk',
    'test_b5_wrong_gateway_identity_gets_no_credentials',
    'test_a15_public_value_of_phase_1[1]',
    'test_b10_hash_of_each_protected_message[push]',
    'test_d1_replayed_esp',
    'test_c13_esp_broken_in_each_byte',
    'test_dpd_of_the_gateway_is_answered',
    'test_b1_informational_with_a_bad_hash',
)

# fault -> the case that has to notice
WRONG = {
    'no hash r': 'test_wrong_psk',
    'any gateway': 'test_b5_wrong_gateway_identity_gets_no_credentials',
    'any public value': 'test_a15_public_value_of_phase_1[1]',
    'no hash': 'test_b1_informational_with_a_bad_hash',
    'hint at once': 'test_forged_refusal_does_not_change_the_group[no-proposal]',
    'initial contact': 'test_plain_psk_with_a_pull',
    'two groups': 'test_plain_psk_with_a_pull',
    'key length first': 'test_plain_psk_with_a_pull',
    'reserved': 'test_plain_psk_with_a_pull',
    'id-port': 'test_plain_psk_with_a_pull',
    'nat-d swapped': 'test_plain_psk_with_a_pull',
    'no float': 'test_plain_psk_with_a_pull',
    'padding': 'test_plain_psk_with_a_pull',
    'message id zero': 'test_plain_psk_with_a_pull',
    'tunnel mode': 'test_plain_psk_with_a_pull',
    'hash 3': 'test_plain_psk_with_a_pull',
    'type unasked': 'test_g_srx_pushes_after_status',
    'ack with values': 'test_g_srx_pushes_after_status',
    'no group': 'test_pfs[modp2048]',
    'same iv': 'test_phase2[3des-md5]',
    'replays': 'test_d1_replayed_esp',
}


def faults_of(name, fault=''):
    run.state['command'] = f'/usr/bin/python3 {INITIATOR}' + (
        f' --fault "{fault}"' if fault else ''
    )
    found = run.run_case((name, 1))[3]
    run.end_pipe()
    run.state['pipe'] = None
    return found


def main():
    run.load()
    results = []
    for name in RIGHT:
        found = faults_of(name)
        results.append((not found, f'right: {name} {found[:2] if found else ""}'))
    for fault, name in WRONG.items():
        found = faults_of(name, fault)
        told = found[0].splitlines()[-1][:80] if found else 'was not noticed'
        results.append((bool(found), f'{fault}: {told}'))
    for fine, text in results:
        print(('ok   ' if fine else 'FAIL ') + text)
    failed = sum(not fine for fine, _ in results)
    print(f'{len(results) - failed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
