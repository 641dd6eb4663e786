# SPDX-License-Identifier: GPL-2.0-or-later
"""What the gateways of the field do, as data.  `variant(Srx, phase1='...')` makes one with other
values.
"""

from . import constants as c

NAME_AND_PASSWORD = ((c.XAUTH_USER_NAME, b''), (c.XAUTH_USER_PASSWORD, b''))
ONE_TIME_CODE = (
    (c.XAUTH_TYPE, c.TYPE_OTP),
    (c.XAUTH_MESSAGE, b'Enter your token'),
    (c.XAUTH_USER_PASSWORD, b''),
)
NAME_AND_PASSCODE = ((c.XAUTH_USER_NAME, b''), (c.XAUTH_PASSCODE, b''))
NEXT_PIN = ((c.XAUTH_MESSAGE, b'Choose a PIN of 4 to 8 digits'), (c.XAUTH_NEXT_PIN, b''))
ALL_PHASE1 = (
    'aes256-sha256-modp2048 aes128-sha256-modp2048 aes256-sha1-modp1536 aes128-sha1-modp1536 '
    'aes128-sha1-modp1024 aes256-sha1-modp1024 3des-sha1-modp1024 3des-md5-modp1024'
)
ALL_PHASE2 = (
    'aes256gcm16-modp2048 aes256-sha256-modp2048 aes128-sha1-modp1024 aes256gcm16 aes128gcm16 '
    'aes256-sha256 aes128-sha1 aes256-sha1 3des-sha1 3des-md5'
)


class Personality:
    """A gateway without character: PSK alone, answers a pull, takes the client's networks."""

    name = 'plain'
    vendor_ids = (c.VID_DPD,)
    natt = c.NATT_RANK
    natt_answers = 'best'
    auth = (c.AUTH_PSK,)
    sends_certificate = 'always'  # 'asked': when the client's first message requests it; 'never'
    sends_chain = True  # with the intermediates
    asks_certificate = 'named'  # a CERTREQ for each authority; 'any': one that names none; None
    phase1 = ALL_PHASE1
    phase2 = ALL_PHASE2
    max_proposals = None
    refuses_aloud = True
    wrong_id_notify = c.AUTHENTICATION_FAILED
    id_port = (0, 0)
    own_id_port = (0, 0)
    nonce_length = 20
    # steps that follow phase 1: xauth, status, push, push+status
    plan = ()
    xauth_rounds = (NAME_AND_PASSWORD,)
    xauth_transactions = None  # rounds of the first, the second... transaction of an SA
    xauth_retries = 0
    xauth_on_rekey = True
    answers_pull = True
    config_padding = 0
    unity = None  # None, 'asked' or 'always'
    # narrow: any IDs; exact: the address and one of the networks; any: the address and 0.0.0.0/0
    selectors = 'narrow'
    wide_ids = False  # answers and begins with 0.0.0.0/0 on both sides
    dhcp = None  # RFC 3456: 'any' serves IDci 0.0.0.0, 'outer' the client's outer address
    pfs = 'match'
    phase1_lifetime = 28800
    phase2_lifetime = 3600
    phase2_kilobytes = 0
    phase1_lifetime_in = None  # None, 'transform', 'notify'
    phase2_lifetime_in = None  # None, 'transform', 'notify', 'broken'
    delete_with_qm2 = None  # None, 'inside', 'beside'
    notify_after_config = None
    dpd_style = None  # dpd.py
    dpd_interval = 10
    dpd_retries = 3
    cipher_first = False  # a transform whose KEY_LENGTH stands before ENCRYPTION is refused
    icv = None  # 12: HMAC-SHA2-256 cut to 96 bits
    fragments = 0  # the longest datagram; what is longer goes in fragments; 0: not spoken


class StrongSwan(Personality):
    name = 'strongswan'
    vendor_ids = (c.VID_STRONGSWAN, c.VID_DPD, c.VID_UNITY)
    auth = (c.AUTH_XAUTH_INIT_PSK,)
    plan = ('xauth', 'status')
    unity = 'always'
    wide_ids = True
    nonce_length = 32
    fragments = 1248


class Srx(Personality):
    """Junos: configuration is pushed after STATUS, then a private notify, and a DELETE with Quick
    Mode.
    """

    name = 'srx'
    vendor_ids = (c.VID_JUNIPER_SRX, c.VID_DPD, c.VID_HEARTBEAT)
    natt = (c.VID_NATT_RFC, c.VID_NATT_02)
    auth = (c.AUTH_XAUTH_INIT_PSK,)
    max_proposals = 4
    plan = ('xauth', 'status', 'push')
    answers_pull = False
    wrong_id_notify = c.INVALID_ID_INFORMATION
    selectors = 'exact'
    notify_after_config = c.JUNIPER_40001
    delete_with_qm2 = 'beside'
    phase2_lifetime_in = 'notify'


class ScreenOs(Srx):
    """As Junos, but the configuration comes before STATUS."""

    name = 'screenos'
    vendor_ids = (c.VID_NETSCREEN, c.VID_DPD, c.VID_HEARTBEAT)
    plan = ('xauth', 'push', 'status')
    notify_after_config = None
    delete_with_qm2 = None


class Cisco(Personality):
    """Pull with Unity; everything is said in RESPONDER-LIFETIME."""

    name = 'cisco'
    vendor_ids = (c.VID_UNITY, c.VID_DPD, bytes.fromhex('1f07f70eaa6514d3b0fa96542a500100'))
    natt = (c.VID_NATT_RFC, c.VID_NATT_03, c.VID_NATT_02N, c.VID_NATT_02)
    auth = (c.AUTH_XAUTH_INIT_PSK,)
    plan = ('xauth', 'status')
    xauth_rounds = (((c.XAUTH_TYPE, 0),) + NAME_AND_PASSWORD,)
    unity = 'asked'
    selectors = 'any'
    phase1_lifetime = 86400
    phase1_lifetime_in = 'notify'
    phase2_lifetime_in = 'notify'
    own_id_port = (17, 500)
    pfs = 'any'


class FortiGate(Personality):
    """Pull; its RESPONDER-LIFETIME is broken; a one-time code is a second round."""

    name = 'fortigate'
    vendor_ids = (c.VID_FORTIGATE, c.VID_DPD)
    auth = (c.AUTH_XAUTH_INIT_PSK,)
    plan = ('xauth', 'status')
    phase2_lifetime_in = 'broken'
    selectors = 'exact'


class FortiToken(FortiGate):
    """With a token: the code is a round of its own, and one wrong code is forgiven."""

    name = 'fortitoken'
    xauth_rounds = (NAME_AND_PASSWORD, ONE_TIME_CODE)
    xauth_retries = 1


class SecurId(FortiGate):
    """With a token whose server wants a PIN of the user's own first; one wrong answer is forgiven."""

    name = 'securid'
    xauth_rounds = (NAME_AND_PASSCODE, NEXT_PIN)
    xauth_retries = 1


class FritzBox(Personality):
    name = 'fritzbox'
    vendor_ids = (c.VID_DPD,)
    natt = (c.VID_NATT_03,)
    auth = (c.AUTH_XAUTH_INIT_PSK,)
    plan = ('xauth', 'status')
    phase1_lifetime = 3600
    phase2_lifetime = 3600
    phase1_lifetime_in = 'transform'
    phase2_lifetime_in = 'transform'


class Racoon(Personality):
    name = 'racoon'
    vendor_ids = (c.VID_RACOON, c.VID_DPD, c.VID_UNITY)
    auth = (c.AUTH_XAUTH_INIT_PSK,)
    plan = ('xauth', 'status')
    unity = 'always'
    selectors = 'narrow'
    phase2 = (
        'aes256-sha256-modp2048 aes128-sha1-modp1024 aes256-sha256 aes128-sha1 aes256-sha1 '
        '3des-sha1 3des-md5'
    )
    nonce_length = 16
    fragments = 552


class Libreswan(Personality):
    """Up to three zero bytes inside the length of the attribute payload; no modp1024."""

    name = 'libreswan'
    auth = (c.AUTH_XAUTH_INIT_PSK,)
    plan = ('xauth', 'status')
    phase1 = (
        'aes256-sha256-modp2048 aes128-sha256-modp2048 aes256-sha1-modp1536 aes128-sha1-modp1536'
    )
    cipher_first = True
    config_padding = 3
    nonce_length = 32


class SonicWall(Personality):
    """The inner address is leased by DHCP through an SA of its own; there is no mode config."""

    name = 'sonicwall'
    vendor_ids = (c.VID_DPD,)
    natt = (c.VID_NATT_RFC, c.VID_NATT_03, c.VID_NATT_02N, c.VID_NATT_02)
    auth = (c.AUTH_XAUTH_INIT_PSK,)
    plan = ('xauth', 'status')
    answers_pull = False
    selectors = 'exact'
    dhcp = 'any'


ALL = {
    p.name: p
    for p in (
        Personality,
        StrongSwan,
        Srx,
        ScreenOs,
        Cisco,
        FortiGate,
        FortiToken,
        SecurId,
        FritzBox,
        Racoon,
        Libreswan,
        SonicWall,
    )
}


def variant(base, **values):
    unknown = [name for name in values if not hasattr(base, name)]
    if unknown:
        raise AttributeError(f'{base.__name__} has no {unknown}')
    return type(base.__name__ + 'Variant', (base,), values)
