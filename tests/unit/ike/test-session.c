/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The boundary of the core: calls in the wrong order, ends in every state, memory and randomness
 * that run out in the middle, and a flood of rubbish that must leave nothing behind. The linker
 * puts functions here in place of malloc() and calloc() as ike/ calls them.
 */
#undef NDEBUG
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/payload-notify.h"
#include "ike/session-private.h"
#include "ike/vendor.h"

#include "gateway-kit.h"

enum { VENDORS = IKE_VENDOR_NATT_RFC3947 | IKE_VENDOR_DPD | IKE_VENDOR_XAUTH };

/* ---- memory that runs out ---- */

static size_t allocations, fail_allocation, in_use;
static bool counting;

static bool no_memory(void)
{
    return counting && ++allocations == fail_allocation;
}

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_malloc(size_t n)
{
    return no_memory() ? NULL : __real_malloc(n);
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
    void *memory = no_memory() ? NULL : __real_calloc(n, size);

    in_use += counting && memory != NULL;
    return memory;
}

/* ---- the wrong order ---- */

static void expect_nothing(IkeSession *session)
{
    IkePacket packet;
    IkeEvent event;

    assert_false(ike_session_next_packet(session, &packet));
    assert_false(ike_session_next_event(session, &event));
}

static void test_calls_before_the_start_do_nothing(void **state)
{
    const IkeConfig config = kit_config();
    const IkeAddress from = config.gateway;
    KitDice dice = {.state = 1};
    IkeSession *session = NULL;
    uint8_t rubbish[64] = {0};
    IkeAnswer answer = {0};

    assert_int_equal(ike_session_new(&session, &config, kit_random, &dice), 0);
    assert_int_equal(ike_session_deadline(session), IKE_NEVER);
    assert_int_equal(ike_session_tick(session, 5), 0);
    assert_int_equal(ike_session_receive(session, rubbish, sizeof(rubbish), from, 5), 0);
    assert_int_equal(ike_session_answer(session, 0, &answer, 5), 0);
    assert_int_equal(ike_session_answer(session, 1, NULL, 5), 0);
    ike_session_traffic(session, 0, 5);
    assert_int_equal(ike_session_renew_sa(session, 0, 5), 0);
    assert_int_equal(ike_session_network_changed(session, 5), 0);
    assert_int_equal(ike_session_renegotiate(session, 5), 0);
    expect_nothing(session);
    assert_null(ike_session_free(session));
    assert_null(ike_session_free(NULL));
}

/* What the first message offers as our public value. */
static IkeSlice started_with(IkeSession *session, IkeDh *dh_take)
{
    IkePacket packet;

    ike_session_give_dh(session, dh_take);
    assert_int_equal(ike_session_start(session, 5), 0);
    assert_true(ike_session_next_packet(session, &packet));
    return (IkeSlice){packet.bytes, packet.n};
}

static bool holds(IkeSlice packet, IkeSlice value)
{
    return memmem(packet.bytes, packet.n, value.bytes, value.n) != NULL;
}

static void test_a_pair_of_another_group_is_not_used(void **state)
{
    const IkeConfig config = kit_config();
    KitDice dice = {.state = 1};
    IkeSession *session = NULL;
    IkeDh *other = NULL;
    const char *name = config.phase1[0].group->number == IKE_GROUP_ECP256 ? "ecp384" : "ecp256";
    uint8_t value[IKE_DH_MAX];

    assert_int_equal(ike_dh_new(&other, ike_group_by_name(name)), 0);
    IkeSlice public = ike_dh_public(other);
    memcpy(value, public.bytes, public.n);
    assert_int_equal(ike_session_new(&session, &config, kit_random, &dice), 0);
    assert_false(holds(started_with(session, other), (IkeSlice){value, public.n}));
    ike_session_free(session);
}

static void test_a_pair_that_was_given_is_used_once(void **state)
{
    const IkeConfig config = kit_config();
    const IkeGroup *group = config.phase1[0].group;
    KitDice dice = {.state = 1};
    IkeSession *session = NULL;
    IkeDh *dh = NULL, *unused = NULL, *next = NULL;
    uint8_t value[IKE_DH_MAX];

    assert_int_equal(ike_dh_new(&dh, group), 0);
    assert_int_equal(ike_dh_new(&unused, group), 0);
    memcpy(value, ike_dh_public(dh).bytes, group->ke_size);
    assert_int_equal(ike_session_new(&session, &config, kit_random, &dice), 0);
    ike_session_give_dh(session, unused); /* another takes its place */
    assert_true(holds(started_with(session, dh), (IkeSlice){value, group->ke_size}));
    assert_int_equal(ike_session_dh(session, group, &next), 0);
    assert_memory_not_equal(ike_dh_public(next).bytes, value, group->ke_size);
    ike_dh_free(next);
    ike_session_free(session);
}

static void test_a_session_is_started_once(void **state)
{
    const IkeConfig config = kit_config();
    KitGateway *gw = kit_gateway_new(&config);

    assert_int_equal(ike_session_start(gw->session, gw->now), -EALREADY);
    expect_nothing(gw->session);
    kit_gateway_free(gw);
}

static void test_calls_after_the_end_do_nothing(void **state)
{
    const IkeConfig config = kit_config();
    KitGateway *gw = kit_connected(&config, VENDORS);
    KitBytes am2 = gw->am2;
    IkeAnswer answer = {0};

    assert_int_equal(ike_session_stop(gw->session, gw->now), 0);
    kit_collect(gw);
    assert_int_equal(gw->events[IKE_EVENT_STOPPED], 1);
    kit_forget(gw);
    assert_int_equal(ike_session_stop(gw->session, gw->now), 0);
    assert_int_equal(kit_tick(gw, gw->now + 3600 * IKE_SECOND), 0);
    assert_int_equal(kit_deliver(gw, &am2), 0);
    assert_int_equal(kit_send_notify(gw, IKE_NOTIFY_R_U_THERE, "\0\0\0\1", 4), 0);
    assert_int_equal(ike_session_answer(gw->session, 1, &answer, gw->now), 0);
    ike_session_traffic(gw->session, gw->in.spi_in, gw->now);
    assert_int_equal(ike_session_renew_sa(gw->session, gw->in.spi_in, gw->now), 0);
    assert_int_equal(ike_session_network_changed(gw->session, gw->now), 0);
    assert_int_equal(ike_session_renegotiate(gw->session, gw->now), 0);
    assert_int_equal(ike_session_start(gw->session, gw->now), -EALREADY);
    expect_nothing(gw->session);
    assert_int_equal(ike_session_deadline(gw->session), IKE_NEVER);
    kit_gateway_free(gw);
}

static void expect_refused(const IkeConfig *config)
{
    KitDice dice = {.state = 1};
    IkeSession *session = NULL;

    assert_int_equal(ike_session_new(&session, config, kit_random, &dice), -EINVAL);
    assert_null(session);
}

static void spoil_secrets_and_identities(IkeConfig *c, int i)
{
    IkeSecret *secrets[] = {&c->psk, &c->user, &c->password};

    if (i < 3)
        secrets[i]->n = IKE_SECRET_MAX + 1;
    else if (i == 3)
        c->psk.known = false;
    else if (i == 4)
        c->id.n = 0;
    else if (i == 5)
        c->id.n = IKE_ID_MAX + 1;
    else if (i == 6)
        c->id.type = IKE_ID_IPV4;
    else if (i == 7)
        c->remote_id.n = IKE_ID_MAX + 1;
    else if (i == 8)
        c->gateway.family = 0;
    else if (i == 9)
        c->address.family = 0; /* with IKE_CONFIG_NONE */
    else
        c->networks_n = IKE_NETWORKS_MAX + 1;
}

static void spoil_proposals(IkeConfig *c, int i)
{
    if (i == 0)
        c->phase1_n = 0;
    else if (i == 1)
        c->phase1_n = IKE_PHASE1_PROPOSALS_MAX + 1;
    else if (i == 2)
        c->phase1[0].cipher = NULL;
    else if (i == 3)
        c->phase1[0].hash = NULL;
    else if (i == 4)
        c->phase1[0].group = NULL;
    else if (i == 5) /* no AEAD exists in Phase 1 */
        c->phase1[0].cipher = ike_cipher_by_name("aes128gcm16");
    else if (i == 6)
        c->phase1_lifetime = 0;
    else if (i == 7)
        c->phase2_n = 0;
    else if (i == 8)
        c->phase2_n = IKE_PHASE2_PROPOSALS_MAX + 1;
    else if (i == 9)
        c->phase2[0].cipher = NULL;
    else if (i == 10) /* an AEAD brings its own integrity */
        c->phase2[0].integrity = ike_hash_by_name("sha1");
    else if (i == 11) /* and encryption alone protects nothing */
        c->phase2[0].cipher = ike_cipher_by_name("aes128");
    else
        c->phase2_lifetime = 0;
}

static void test_a21_a_configuration_that_is_not_complete_is_refused(void **state)
{
    for (int i = 0; i <= 10; i++) {
        IkeConfig config = kit_config();
        spoil_secrets_and_identities(&config, i);
        expect_refused(&config);
    }
    for (int i = 0; i <= 12; i++) {
        IkeConfig config = kit_config();
        spoil_proposals(&config, i);
        expect_refused(&config);
    }
}

static void test_groups_that_are_all_too_weak_are_a_fault(void **state)
{
    IkeConfig config = kit_config();
    KitDice dice = {.state = 1};
    IkeSession *session = NULL;

    config.weakest_group = ike_group_by_name("ecp521");
    assert_int_equal(ike_session_new(&session, &config, kit_random, &dice), 0);
    assert_int_equal(ike_session_start(session, 1), -EINVAL);
    ike_session_free(session);
}

static void test_a_secret_that_is_too_long_is_no_answer(void **state)
{
    IkeConfig config = kit_config();
    KitBytes body;
    KitChain chain;
    IkeAnswer answer = {.given[IKE_ASK_PASSWORD] = {.known = true, .n = UINT16_MAX}};

    config.xauth = IKE_XAUTH_REQUIRED;
    KitGateway *gw = kit_gateway_new(&config);
    kit_phase1(gw, VENDORS);
    kit_config_begin(&body, IKE_CONFIG_REQUEST, 1);
    kit_config_bytes(&body, IKE_XAUTH_USER_NAME, "", 0);
    kit_config_bytes(&body, IKE_XAUTH_USER_PASSWORD, "", 0);
    kit_chain_new(gw, &chain);
    assert_int_equal(kit_send_config(gw, &chain, &body), 0);
    kit_forget(gw);
    assert_int_equal(ike_session_answer(gw->session, gw->question.id, &answer, gw->now), -EINVAL);
    kit_collect(gw);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_TRANSACTION), 0);
    /* The question still stands. */
    assert_int_equal(kit_answer(gw, "alice", "secret"), 0);
    assert_int_equal(kit_count_packets(gw, IKE_EXCHANGE_TRANSACTION), 1);
    kit_gateway_free(gw);
}

static void test_what_nobody_took_is_freed_with_the_session(void **state)
{
    const IkeConfig config = kit_config();
    KitGateway *gw = kit_gateway_new(&config);
    static KitList list;
    KitChain chain;
    KitBytes datagram;
    IkePacket packet;

    kit_phase1(gw, VENDORS);
    assert_true(kit_qm2(gw, &chain, &list));
    kit_seal(gw, &chain, IKE_EXCHANGE_QUICK, IKE_HASH_2, &list, &datagram);
    /* SA_IN and SA_OUT with their ESP SAs stay in the queue, and QM3 in the other. */
    const IkeAddress from = {4, {192, 0, 2, 1}, IKE_PORT};
    assert_int_equal(ike_session_receive(gw->session, datagram.bytes, datagram.n, from, gw->now),
                     0);
    assert_true(ike_session_next_packet(gw->session, &packet));
    kit_gateway_free(gw);
}

/* ---- what runs out ---- */

/* A whole life: Phase 1, user, configuration, two Quick Modes with PFS, probes, renewal, goodbye.
 * Ends early where the session does. */
static int live(KitGateway *gw)
{
    static KitList list;
    KitBytes body;
    KitChain chain;
    int r;

    kit_am2(gw, &list, VENDORS);
    kit_encode(gw, IKE_EXCHANGE_AGGRESSIVE, &list, &gw->am2);
    counting = true;
    r = kit_deliver(gw, &gw->am2);
    counting = false;
    const KitBytes *am3 = kit_last_packet(gw, IKE_EXCHANGE_AGGRESSIVE);
    if (r < 0 || am3 == NULL)
        return r;
    memcpy(gw->keys.iv, am3->bytes + am3->n - 16, 16);
    gw->marked = true;
    kit_config_begin(&body, IKE_CONFIG_REQUEST, 1);
    kit_config_bytes(&body, IKE_XAUTH_USER_NAME, "", 0);
    kit_config_bytes(&body, IKE_XAUTH_USER_PASSWORD, "", 0);
    kit_chain_new(gw, &chain);
    counting = true;
    r = kit_send_config(gw, &chain, &body);
    if (r == 0) {
        kit_config_begin(&body, IKE_CONFIG_SET, 2);
        kit_config_basic(&body, IKE_XAUTH_STATUS, 1);
        kit_config_bytes(&body, IKE_CONFIG_IP4_ADDRESS, "\x0a\1\2\3", 4);
        kit_chain_new(gw, &chain);
        r = kit_send_config(gw, &chain, &body);
    }
    counting = false;
    for (int i = 0; r == 0 && i < 2 && kit_qm2(gw, &chain, &list); i++) {
        kit_forget(gw);
        counting = true;
        r = kit_send(gw, &chain, IKE_EXCHANGE_QUICK, IKE_HASH_2, &list);
        counting = false;
    }
    counting = true;
    if (r == 0)
        r = kit_send_notify(gw, IKE_NOTIFY_R_U_THERE, "\0\0\0\1", 4);
    if (r == 0)
        r = ike_session_network_changed(gw->session, gw->now);
    if (r == 0)
        r = ike_session_renegotiate(gw->session, gw->now);
    if (r == 0)
        r = ike_session_stop(gw->session, gw->now);
    counting = false;
    kit_collect(gw);
    return r;
}

static IkeConfig rich_config(void)
{
    IkeConfig config = kit_config();

    config.xauth = IKE_XAUTH_REQUIRED;
    config.config = IKE_CONFIG_PUSH;
    kit_secret(&config.user, "alice");
    kit_secret(&config.password, "secret");
    config.phase2[0] = kit_p2("aes128", "sha256", "curve25519");
    config.networks_n = 2;
    config.networks[0] = (IkeNetwork){4, 8, {10}};
    config.networks[1] = (IkeNetwork){4, 16, {172, 16}};
    return config;
}

static void test_memory_that_runs_out_anywhere_ends_cleanly(void **state)
{
    const IkeConfig config = rich_config();
    size_t total = 1;

    for (size_t i = 0; i <= total; i++) {
        KitGateway *gw = kit_gateway_new(&config);

        allocations = 0;
        fail_allocation = i;
        int r = live(gw);
        if (i == 0) {
            assert_int_equal(r, 0);
            assert_int_equal(gw->events[IKE_EVENT_STOPPED], 1);
            total = allocations;
            assert_true(total > 30);
        } else {
            /* Either it could do without, or it said that this machine is at fault. */
            assert_true(r == 0 || r == -ENOMEM || r == -EAGAIN);
            assert_true(r == 0 || gw->failure.reason == IKE_REASON_INTERNAL ||
                        gw->events[IKE_EVENT_FAILED] + gw->events[IKE_EVENT_LOST] == 0);
        }
        assert_int_equal(ike_session_tick(gw->session, gw->now + IKE_SECOND), 0);
        kit_gateway_free(gw);
    }
    fail_allocation = 0;
}

static void test_c3_randomness_that_fails_anywhere_ends_cleanly(void **state)
{
    const IkeConfig config = rich_config();
    unsigned total = 1;

    for (unsigned i = 0; i <= total; i++) {
        KitGateway *gw = kit_gateway_new(&config);

        gw->dice.fail_at = i == 0 ? 0 : gw->dice.calls + i;
        unsigned before = gw->dice.calls;
        int r = live(gw);
        if (i == 0) {
            total = gw->dice.calls - before;
            assert_true(total > 10);
        }
        assert_true(r <= 0);
        /* No SA has an SPI that randomness did not give. */
        assert_true(gw->events[IKE_EVENT_SA_IN] == 0 || gw->in.spi_in > 255);
        kit_gateway_free(gw);
    }
}

static void test_c3_a_session_without_randomness_does_not_begin(void **state)
{
    const IkeConfig config = kit_config();

    for (unsigned i = 1; i <= 3; i++) {
        KitDice dice = {.state = 1, .fail_at = i};
        IkeSession *session = NULL;
        IkePacket packet;

        assert_int_equal(ike_session_new(&session, &config, kit_random, &dice), 0);
        assert_true(ike_session_start(session, 1) < 0);
        assert_false(ike_session_next_packet(session, &packet));
        ike_session_free(session);
    }
}

/* ---- A19: floods ---- */

static void test_a19_a_hundred_thousand_bad_first_answers_leave_nothing_behind(void **state)
{
    const IkeConfig config = kit_config();
    KitGateway *gw = kit_gateway_new(&config);
    const IkeAddress from = config.gateway;
    static KitList list;
    KitBytes good, bad;

    kit_am2(gw, &list, VENDORS);
    kit_encode(gw, IKE_EXCHANGE_AGGRESSIVE, &list, &good);
    in_use = allocations = 0;
    counting = true;
    for (unsigned i = 0; i < 100000; i++) {
        uint8_t dice[4];
        bad = good;
        (void)kit_random(&gw->dice, dice, sizeof(dice));
        /* Somewhere behind the cookies and before HASH_R's end. */
        size_t at = 16 + (dice[0] << 8 | dice[1]) % (good.n - 16);
        bad.bytes[at] ^= (uint8_t)(dice[2] | 1);
        if (at >= 28 + 4 && memcmp(bad.bytes + 28, good.bytes + 28, 8) != 0)
            continue;
        assert_int_equal(ike_session_receive(gw->session, bad.bytes, bad.n, from, gw->now), 0);
        IkePacket packet;
        if (ike_session_next_packet(gw->session, &packet))
            break; /* only a vendor ID was hit: it is a good answer */
    }
    counting = false;
    IkeEvent event;
    unsigned events = 0;
    while (ike_session_next_event(gw->session, &event))
        events++;
    assert_true(events <= 8);
    assert_true(in_use <= 40);
    kit_gateway_free(gw);
}

static void test_a19_floods_of_rubbish_allocate_nothing_that_stays(void **state)
{
    const IkeConfig config = kit_config();

    for (int connected = 0; connected < 2; connected++) {
        KitGateway *gw =
            connected != 0 ? kit_connected(&config, VENDORS) : kit_gateway_new(&config);
        const IkeAddress from = config.gateway;
        IkePacket packet;
        IkeEvent event;

        in_use = 0;
        counting = true;
        for (unsigned i = 0; i < 100000; i++) {
            uint8_t bytes[128];
            size_t n = 28 + 16 * (i % 7);
            (void)kit_random(&gw->dice, bytes, sizeof(bytes));
            memcpy(bytes, gw->cookie_i, 8);
            memcpy(bytes + 8, gw->cookie_r, 8);
            bytes[17] = IKE_VERSION;
            bytes[18] = (const uint8_t[]){4, 5, 6, 32, bytes[18]}[i % 5];
            memset(bytes + 24, 0, 4);
            bytes[27] = (uint8_t)n;
            assert_int_equal(ike_session_receive(gw->session, bytes, n, from, gw->now), 0);
        }
        counting = false;
        assert_false(ike_session_next_packet(gw->session, &packet));
        assert_false(ike_session_next_event(gw->session, &event));
        /* Each exchange that was tried was given back: the places are free. */
        unsigned used = 0;
        for (size_t i = 0; i < IKE_EXCHANGES_MAX; i++)
            used += gw->session->exchanges[i].script != NULL;
        assert_true(used <= 3);
        kit_gateway_free(gw);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_before_the_start_do_nothing),
        cmocka_unit_test(test_a_pair_of_another_group_is_not_used),
        cmocka_unit_test(test_a_pair_that_was_given_is_used_once),
        cmocka_unit_test(test_a_session_is_started_once),
        cmocka_unit_test(test_calls_after_the_end_do_nothing),
        cmocka_unit_test(test_a21_a_configuration_that_is_not_complete_is_refused),
        cmocka_unit_test(test_groups_that_are_all_too_weak_are_a_fault),
        cmocka_unit_test(test_a_secret_that_is_too_long_is_no_answer),
        cmocka_unit_test(test_what_nobody_took_is_freed_with_the_session),
        cmocka_unit_test(test_memory_that_runs_out_anywhere_ends_cleanly),
        cmocka_unit_test(test_c3_randomness_that_fails_anywhere_ends_cleanly),
        cmocka_unit_test(test_c3_a_session_without_randomness_does_not_begin),
        cmocka_unit_test(test_a19_a_hundred_thousand_bad_first_answers_leave_nothing_behind),
        cmocka_unit_test(test_a19_floods_of_rubbish_allocate_nothing_that_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
