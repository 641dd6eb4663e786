/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One end of a tunnel with fixed keys and no IKE, around the real data path and a real TUN: two of
 * them in two network namespaces carry traffic for tests/bench/throughput. Ends with its standard
 * input and prints its counters.
 *
 * usage: datapath-end INTERFACE large|single CIPHER[-HASH]|none LOCAL PEER first|second [TUNNELS]
 * LOCAL and PEER are IPv4 addresses of the outer network; both ends use port 4500. "none" is the
 * bare relay in place of the data path. With TUNNELS so many are made in this one process, at
 * INTERFACE0 and port 4500, INTERFACE1 and port 4501 and so on.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client/tunnel/datapath.h"
#include "tests/bench/bare-relay.h"

enum {
    PORT = 4500,
    PATH_MTU = 1500,
    RELAY_MTU = PATH_MTU - 28,
    FIRST_SPI = 0x10000001,
    SECOND_SPI = 0x20000002,
    BUFFERS = 7 << 20,
    TUNNELS_MAX = 1000,
};

typedef struct End {
    const char *interface;
    bool large, first;
    char *suite;
    const char *local;
    IkeAddress peer;
} End;

static void die(const char *what)
{
    fprintf(stderr, "datapath-end: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int open_tun(const char *name, bool large)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

    if (large)
        request.ifr_flags |= IFF_VNET_HDR;
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
        die(name);
    return fd;
}

static int open_udp(const char *local, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (inet_pton(AF_INET, local, &address.sin_addr) != 1 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        die(local);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){BUFFERS}, sizeof(int));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &(int){BUFFERS}, sizeof(int));
    return fd;
}

static EspSa *make_sa(int (*new_sa)(EspSa **, const EspParameters *), char *suite, uint32_t spi)
{
    uint8_t keymat[ESP_KEYMAT_MAX];
    char *dash = strchr(suite, '-');
    EspParameters parameters = {.spi = spi, .keymat = keymat, .iv_seed = {spi, 1}};
    EspSa *sa = NULL;

    memset(keymat, (int)(spi & 255), sizeof(keymat));
    parameters.integrity = dash != NULL ? ike_hash_by_name(dash + 1) : NULL;
    if (dash != NULL)
        *dash = '\0';
    parameters.cipher = ike_cipher_by_name(suite);
    if (dash != NULL)
        *dash = '-';
    if (parameters.cipher == NULL || new_sa(&sa, &parameters) != 0)
        die(suite);
    return sa;
}

static void print_stats(Datapath *path)
{
    struct rusage usage;
    DatapathStats stats;

    datapath_stats(path, &stats);
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"packets_in\": %ju, \"packets_out\": %ju, \"bytes_in\": %ju, \"bytes_out\": %ju, "
           "\"cpu\": %.3f, \"rss_kb\": %ld",
           (uintmax_t)stats.packets_in, (uintmax_t)stats.packets_out, (uintmax_t)stats.bytes_in,
           (uintmax_t)stats.bytes_out,
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
           usage.ru_maxrss);
    for (int i = 0; i < DATAPATH_DROPS; i++)
        if (stats.drops[i] != 0)
            printf(", \"%s\": %ju", datapath_drop_name((DatapathDrop)i), (uintmax_t)stats.drops[i]);
    printf("}\n");
}

/* Prints the MTU for its TUN, as bare_relay() does. */
static Datapath *open_end(const End *end)
{
    DatapathSetup setup = {.udp4 = open_udp(end->local, end->peer.port), .udp6 = -1};
    IkeSaInfo info = {.local.family = 4, .remote.family = 4};
    Datapath *path = datapath_new(&setup, NULL);
    EspSa *out;

    if (path == NULL)
        die("datapath");
    datapath_set_peer(path, &end->peer, PATH_MTU);
    datapath_add_in(path, make_sa(esp_open_new, end->suite, end->first ? FIRST_SPI : SECOND_SPI),
                    &info);
    out = make_sa(esp_seal_new, end->suite, end->first ? SECOND_SPI : FIRST_SPI);
    printf("%u\n", datapath_inner_mtu(out, &end->peer, PATH_MTU));
    datapath_set_out(path, out, &info);
    datapath_attach_tun(path, open_tun(end->interface, end->large), end->large);
    return path;
}

static void open_relay(const End *end)
{
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    int udp = open_udp(end->local, PORT);

    memcpy(&peer.sin_addr, end->peer.bytes, 4);
    if (connect(udp, (struct sockaddr *)&peer, sizeof(peer)) < 0)
        die("peer");
    printf("%d\n", RELAY_MTU);
    errno = -bare_relay_start(open_tun(end->interface, true), udp);
    if (errno != 0)
        die("bare relay");
}

static void wait_for_end(void)
{
    char byte;

    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
}

static void run_tunnels(End *end, const char *prefix, int n)
{
    Datapath *paths[TUNNELS_MAX] = {NULL};
    char name[IFNAMSIZ];

    end->interface = name;
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "%.8s%d", prefix, i);
        end->peer.port = (uint16_t)(PORT + i);
        paths[i] = open_end(end);
    }
    wait_for_end();
    for (int i = 0; i < n; i++)
        datapath_free(paths[i]);
}

int main(int argc, char **argv)
{
    End end = {.peer = {.family = 4, .port = PORT}};
    Datapath *path;

    if ((argc != 7 && argc != 8) || inet_pton(AF_INET, argv[5], end.peer.bytes) != 1)
        return 2;
    end.interface = argv[1];
    end.large = strcmp(argv[2], "large") == 0;
    end.suite = argv[3];
    end.local = argv[4];
    end.first = strcmp(argv[6], "first") == 0;
    if (argc == 8) {
        int n = atoi(argv[7]);

        run_tunnels(&end, argv[1], n < TUNNELS_MAX ? n : TUNNELS_MAX);
        return 0;
    }
    if (strcmp(end.suite, "none") == 0) {
        open_relay(&end);
        wait_for_end();
        printf("{}\n");
        return 0;
    }
    path = open_end(&end);
    wait_for_end();
    print_stats(path);
    datapath_free(path);
    return 0;
}
