// SPDX-License-Identifier: GPL-2.0-or-later
/* What is made of rtnetlink's messages. Relied on by every tunnel that is taken along: a flood that
 * keeps the process busy, or a forged or broken message that is believed, would end it. The socket
 * is one of a pair, whose other end says what a kernel might; and in the end the real kernel's. */
#include "kit.h"

#include "platform/network-watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OTHER = 77, MAIN = RT_TABLE_MAIN };

typedef struct Bytes {
    size_t n;
    union {
        struct nlmsghdr header;
        char bytes[512];
    };
} Bytes;

static int kernel = -1; /* the other end */
static unsigned buffers_full, strangers, asked, told;
static PlatformNetworkChange last;
static PlatformNetworkWatch *watch;
static Bytes answers[2]; /* to the questions in turn; n 0: none comes */

ssize_t __real_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_sendto(int fd, const void *bytes, size_t n, int flags, const struct sockaddr *to,
                      socklen_t to_n);

ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
    if (kernel < 0)
        return __real_recvmsg(fd, message, flags);
    if (buffers_full > 0) {
        buffers_full--;
        errno = ENOBUFS;
        return -1;
    }
    struct sockaddr_nl *from = message->msg_name;
    struct msghdr plain = {.msg_iov = message->msg_iov, .msg_iovlen = message->msg_iovlen};
    ssize_t n = __real_recvmsg(fd, &plain, flags);

    message->msg_flags = plain.msg_flags;
    from->nl_pid = n > 0 && strangers > 0 ? OTHER : 0;
    strangers -= n > 0 && strangers > 0;
    return n;
}

static void tell_bytes(const void *bytes, size_t n)
{
    assert_int_equal(send(kernel, bytes, n, 0), (ssize_t)n);
}

ssize_t __real_sendto(int fd, const void *bytes, size_t n, int flags, const struct sockaddr *to,
                      socklen_t to_n);

ssize_t __wrap_sendto(int fd, const void *bytes, size_t n, int flags, const struct sockaddr *to,
                      socklen_t to_n)
{
    if (kernel < 0)
        return __real_sendto(fd, bytes, n, flags, to, to_n);
    struct nlmsghdr request;
    memcpy(&request, bytes, sizeof request);
    Bytes *answer = &answers[MIN(asked, 1)];

    asked++;
    answer->header.nlmsg_seq = request.nlmsg_seq;
    if (answer->n > 0)
        tell_bytes(answer->bytes, answer->n);
    return (ssize_t)n;
}

/* ---- messages ---- */

static void add(Bytes *m, unsigned short type, const void *value, size_t n)
{
    struct rtattr head = {.rta_type = type, .rta_len = (unsigned short)RTA_LENGTH(n)};

    memcpy(m->bytes + m->n, &head, sizeof head);
    memcpy(m->bytes + m->n + RTA_LENGTH(0), value, n);
    m->n += RTA_ALIGN(head.rta_len);
    m->header.nlmsg_len = (uint32_t)m->n;
}

static Bytes message(unsigned short type, const void *body, size_t n)
{
    Bytes m = {.n = NLMSG_SPACE(n)};

    m.header = (struct nlmsghdr){
        .nlmsg_len = (uint32_t)m.n, .nlmsg_type = type, .nlmsg_pid = OTHER, .nlmsg_seq = 1};
    memcpy(NLMSG_DATA(&m.header), body, n);
    return m;
}

static Bytes link_message(unsigned short type, int ifindex, const char *name, bool running)
{
    const struct ifinfomsg info = {.ifi_index = ifindex,
                                   .ifi_flags = IFF_UP | (running ? IFF_RUNNING : 0)};
    Bytes m = message(type, &info, sizeof info);

    add(&m, IFLA_IFNAME, name, strlen(name) + 1);
    return m;
}

static Bytes address_message(unsigned short type, unsigned ifindex)
{
    const struct ifaddrmsg info = {.ifa_family = AF_INET, .ifa_index = ifindex};

    return message(type, &info, sizeof info);
}

static Bytes route_message(unsigned short type, uint32_t table, uint32_t ifindex)
{
    const struct rtmsg info = {.rtm_family = AF_INET,
                               .rtm_type = RTN_UNICAST,
                               .rtm_table = (unsigned char)(table < 256 ? table : RT_TABLE_COMPAT)};
    Bytes m = message(type, &info, sizeof info);

    add(&m, RTA_TABLE, &table, sizeof table);
    if (ifindex)
        add(&m, RTA_OIF, &ifindex, sizeof ifindex);
    return m;
}

static void tell(Bytes m)
{
    tell_bytes(m.bytes, m.n);
}

/* ---- time ---- */

static gboolean on_time(gpointer done)
{
    *(bool *)done = true;
    return G_SOURCE_REMOVE;
}

static void run(unsigned ms)
{
    bool done = false;

    g_timeout_add(ms, on_time, &done);
    while (!done)
        g_main_context_iteration(NULL, TRUE);
}

static void on_change(const PlatformNetworkChange *change, void *data)
{
    told++;
    last = *change;
}

static int setup(void **state)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
    kernel = pair[1];
    buffers_full = strangers = asked = told = 0;
    memset(answers, 0, sizeof answers);
    watch = platform_network_watch_new(pair[0], on_change, NULL);
    return 0;
}

static int teardown(void **state)
{
    platform_network_watch_free(watch);
    close(kernel);
    kernel = -1;
    return 0;
}

/* ---- what may come ---- */

static void what_is_cut_short_or_rubbish_tells_nothing(void **state)
{
    const Bytes whole[] = {link_message(RTM_NEWLINK, 2, "eth0", true),
                           address_message(RTM_NEWADDR, 2), route_message(RTM_DELROUTE, MAIN, 2)};
    const size_t fixed[] = {sizeof(struct ifinfomsg), sizeof(struct ifaddrmsg),
                            sizeof(struct rtmsg)};

    for (size_t i = 0; i < G_N_ELEMENTS(whole); i++) {
        /* The length says more than there is; and is as short as what is there. */
        for (size_t n = 1; n < NLMSG_LENGTH(fixed[i]); n++) {
            Bytes m = whole[i];

            tell_bytes(m.bytes, n);
            m.header.nlmsg_len = (uint32_t)n;
            tell_bytes(m.bytes, NLMSG_SPACE(fixed[i]));
            run(0);
        }
    }
    run(200);
    assert_int_equal(told, 0);
}

static void bytes_that_mean_nothing_are_survived(void **state)
{
    GRand *rand = g_rand_new_with_seed(7);

    for (unsigned i = 0; i < 3000; i++) {
        Bytes m = i % 3 == 0   ? link_message(RTM_NEWLINK, 2, "eth0", true)
                  : i % 3 == 1 ? address_message(RTM_DELADDR, 2)
                               : route_message(RTM_DELROUTE, MAIN, 2);

        for (int k = 0; k < 4; k++)
            m.bytes[g_rand_int_range(rand, 0, (gint32)m.n)] = (char)g_rand_int(rand);
        if (send(kernel, m.bytes, m.n, 0) < 0)
            run(160);
    }
    run(400);
    g_rand_free(rand);
}

static void what_others_send_is_not_heard(void **state)
{
    for (int i = 0; i < 5; i++) {
        strangers = 1;
        tell(address_message(RTM_DELADDR, 2));
        run(0);
    }
    run(200);
    assert_int_equal(told, 0);
}

static void a_flood_is_told_a_few_times_a_second(void **state)
{
    const gint64 end = g_get_monotonic_time() + G_USEC_PER_SEC;
    const Bytes m = address_message(RTM_NEWADDR, 2);
    unsigned sent = 0;

    while (g_get_monotonic_time() < end) {
        sent += send(kernel, m.bytes, m.n, 0) > 0;
        g_main_context_iteration(NULL, FALSE);
    }
    run(400);
    assert_true(sent > 50);
    assert_in_range(told, 1, 8);
}

static void what_was_missed_counts_as_anything(void **state)
{
    buffers_full = 1;
    tell(route_message(RTM_NEWROUTE, 1000, 2));
    run(250);
    assert_int_equal(told, 1);
    assert_true(last.missed);
    assert_true(platform_network_change_touches(&last, 9));
}

static void buffers_that_are_always_full_keep_nobody_busy(void **state)
{
    buffers_full = 10000;
    tell(route_message(RTM_NEWROUTE, 1000, 2));
    run(700);
    assert_in_range(told, 1, 6);
}

static void a_link_that_lost_something_is_named(void **state)
{
    tell(link_message(RTM_NEWLINK, 2, "eth0", false));
    tell(address_message(RTM_DELADDR, 3));
    tell(route_message(RTM_DELROUTE, MAIN, 4));
    tell(link_message(RTM_DELLINK, 5, "wlan0", true));
    tell(address_message(RTM_NEWADDR, 6));
    run(250);
    assert_int_equal(told, 1);
    for (int i = 2; i <= 5; i++)
        assert_true(platform_network_change_touches(&last, i));
    assert_false(platform_network_change_touches(&last, 6));
    assert_false(last.missed);
    /* It is forgotten afterwards. */
    tell(address_message(RTM_NEWADDR, 6));
    run(250);
    assert_int_equal(told, 2);
    assert_int_equal(last.lost_n, 0);
}

static void more_links_than_there_is_room_for_are_any(void **state)
{
    for (unsigned i = 1; i <= PLATFORM_NETWORK_LINKS_MAX + 1; i++)
        tell(address_message(RTM_DELADDR, i));
    run(250);
    assert_true(platform_network_change_touches(&last, 999));
}

static void tunnels_are_no_network(void **state)
{
    tell(link_message(RTM_NEWLINK, 40, "dialtone0", true));
    tell(address_message(RTM_NEWADDR, 40));
    tell(address_message(RTM_DELADDR, 40));
    tell(route_message(RTM_NEWROUTE, 20000, 40));
    tell(link_message(RTM_DELLINK, 40, "dialtone0", false));
    run(250);
    assert_int_equal(told, 0);
}

/* ---- the way ---- */

static bool way(PlatformWay *wayp)
{
    PlatformAddress to;

    assert_true(platform_address_parse("192.0.2.1", &to));
    return platform_network_watch_way(watch, &to, 0x1234, wayp);
}

static void answer_with(Bytes route, Bytes link)
{
    const uint8_t source[] = {10, 0, 0, 2};

    add(&route, RTA_PREFSRC, source, sizeof source);
    answers[0] = route;
    answers[1] = link;
    answers[0].header.nlmsg_pid = answers[1].header.nlmsg_pid = 0; /* the pair's own number */
}

static void the_way_is_found_among_what_is_told(void **state)
{
    PlatformWay found;
    char text[PLATFORM_ADDRESS_TEXT];

    for (int i = 0; i < 5; i++)
        tell(address_message(RTM_NEWADDR, 3));
    answer_with(route_message(RTM_NEWROUTE, MAIN, 2), link_message(RTM_NEWLINK, 2, "eth0", true));
    assert_true(way(&found));
    assert_int_equal(found.ifindex, 2);
    assert_string_equal(found.link, "eth0");
    assert_string_equal(platform_address_format(&found.source, text), "10.0.0.2");
    /* What was read on the way to the answer is told. */
    run(250);
    assert_int_equal(told, 1);
}

/* A route with this MTU (0: none), which is forgotten after `expires` (0: a setting), over a link
 * with that one (0: it has none). */
static PlatformWay way_with_mtu(uint32_t route_mtu, int32_t expires, uint32_t link_mtu)
{
    Bytes route = route_message(RTM_NEWROUTE, MAIN, 2);
    Bytes link = link_message(RTM_NEWLINK, 2, "eth0", true), metrics = {.n = NLMSG_HDRLEN};
    const struct rta_cacheinfo cache = {.rta_expires = expires};
    const uint32_t window = 77;
    PlatformWay found;

    add(&metrics, RTAX_WINDOW, &window, sizeof window);
    if (route_mtu)
        add(&metrics, RTAX_MTU, &route_mtu, sizeof route_mtu);
    add(&route, RTA_METRICS, metrics.bytes + NLMSG_HDRLEN, metrics.n - NLMSG_HDRLEN);
    add(&route, RTA_CACHEINFO, &cache, sizeof cache);
    if (link_mtu)
        add(&link, IFLA_MTU, &link_mtu, sizeof link_mtu);
    asked = 0;
    answer_with(route, link);
    assert_true(way(&found));
    return found;
}

static void expect_mtu(PlatformWay found, unsigned mtu, unsigned learnt)
{
    assert_int_equal(found.mtu, mtu);
    assert_int_equal(found.learnt, learnt);
}

static void the_lesser_mtu_of_link_and_route_counts_and_what_was_learnt_stands_apart(void **state)
{
    expect_mtu(way_with_mtu(0, 0, 0), 0, 0);
    expect_mtu(way_with_mtu(0, 0, 1492), 1492, 0);
    expect_mtu(way_with_mtu(1400, 0, 1492), 1400, 0);
    expect_mtu(way_with_mtu(9000, 0, 1492), 1492, 0);
    expect_mtu(way_with_mtu(1400, 0, 0), 1400, 0);
    expect_mtu(way_with_mtu(1400, 60000, 1500), 1500, 1400);
    expect_mtu(way_with_mtu(1500, 60000, 1500), 1500, 0);
    expect_mtu(way_with_mtu(9000, 1, 1500), 1500, 0);
}

static void metrics_that_are_cut_short_say_nothing(void **state)
{
    Bytes route = route_message(RTM_NEWROUTE, MAIN, 2), metrics = {.n = NLMSG_HDRLEN};
    const uint32_t mtu = 1400;
    PlatformWay found;

    add(&metrics, RTAX_MTU, &mtu, sizeof mtu);
    add(&route, RTA_METRICS, metrics.bytes + NLMSG_HDRLEN, metrics.n - NLMSG_HDRLEN - 1);
    add(&route, RTA_CACHEINFO, &mtu, sizeof mtu);
    answer_with(route, link_message(RTM_NEWLINK, 2, "eth0", true));
    assert_true(way(&found));
    expect_mtu(found, 0, 0);
}

static void a_link_without_a_carrier_is_no_way(void **state)
{
    PlatformWay found;

    answer_with(route_message(RTM_NEWROUTE, MAIN, 2), link_message(RTM_NEWLINK, 2, "eth0", false));
    assert_false(way(&found));
}

static void a_refusal_is_no_way(void **state)
{
    const struct nlmsgerr error = {.error = -ENETUNREACH};
    PlatformWay found;

    answers[0] = message(NLMSG_ERROR, &error, sizeof error);
    answers[0].header.nlmsg_pid = 0;
    assert_false(way(&found));
}

static void an_answer_that_never_comes_is_not_waited_for(void **state)
{
    PlatformWay found;

    assert_false(way(&found));
    assert_in_range(asked, 1, 3);
}

static void an_answer_that_found_no_room_is_asked_for_again(void **state)
{
    PlatformWay found;

    buffers_full = 1;
    answer_with(route_message(RTM_NEWROUTE, MAIN, 2), link_message(RTM_NEWLINK, 2, "eth0", true));
    assert_true(way(&found));
}

static void the_kernel_itself_knows_the_way_to_us(void **state)
{
    PlatformNetworkWatch *real;
    PlatformAddress to;
    PlatformWay found;
    int fd;

    assert_int_equal(platform_network_watch_open(&fd), 0);
    real = platform_network_watch_new(fd, on_change, NULL);
    assert_true(platform_address_parse("127.0.0.1", &to));
    assert_true(platform_network_watch_way(real, &to, 0, &found));
    assert_string_equal(found.link, "lo");
    assert_true(platform_address_equal(&found.source, &to));
    platform_network_watch_free(real);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_cut_short_or_rubbish_tells_nothing),
        CASE(bytes_that_mean_nothing_are_survived),
        CASE(what_others_send_is_not_heard),
        CASE(a_flood_is_told_a_few_times_a_second),
        CASE(what_was_missed_counts_as_anything),
        CASE(buffers_that_are_always_full_keep_nobody_busy),
        CASE(a_link_that_lost_something_is_named),
        CASE(more_links_than_there_is_room_for_are_any),
        CASE(tunnels_are_no_network),
        CASE(the_way_is_found_among_what_is_told),
        CASE(the_lesser_mtu_of_link_and_route_counts_and_what_was_learnt_stands_apart),
        CASE(metrics_that_are_cut_short_say_nothing),
        CASE(a_link_without_a_carrier_is_no_way),
        CASE(a_refusal_is_no_way),
        CASE(an_answer_that_never_comes_is_not_waited_for),
        CASE(an_answer_that_found_no_room_is_asked_for_again),
        cmocka_unit_test(the_kernel_itself_knows_the_way_to_us),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
