# SPDX-License-Identifier: GPL-2.0-or-later
"""Shows that the conversations can fail: an initiator in Python that is right passes those for
which it is made, and with one fault at a time it is caught by the case named here."""

import pathlib
import sys

from cases import REGISTRY, Sim, cases, expect
from pipe import Pipe

INITIATOR = pathlib.Path(__file__).resolve().parents[2] / 'gateways/selftest_initiator.py'

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
    """What the case finds against this initiator."""
    sim = Sim(Pipe([sys.executable, str(INITIATOR)] + (['--fault', fault] if fault else [])))
    item = REGISTRY[name]
    try:
        item.function(sim, *item.argument)
        return sim.verdict()
    except AssertionError as error:
        return [str(error)] + sim.verdict()
    finally:
        sim.pipe.close()


@cases(*RIGHT)
def test_the_simulator_passes_what_is_right(_, name):
    found = faults_of(name)
    expect(not found, f'{found}')


@cases(*WRONG)
def test_the_simulator_notices(_, fault):
    expect(faults_of(WRONG[fault], fault), 'nothing was noticed')
