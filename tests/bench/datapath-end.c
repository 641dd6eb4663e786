/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One end of a tunnel with fixed keys and no IKE, around the real data path and a real TUN: two of
 * them in two network namespaces carry traffic for tests/bench/datapath. Ends with its standard
 * input and prints its counters.
 *
 * usage: datapath-end INTERFACE large|single CIPHER[-HASH] LOCAL PEER first|second
 * LOCAL and PEER are IPv4 addresses of the outer network; both ends use port 4500.
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

enum { PORT = 4500, FIRST_SPI = 0x10000001, SECOND_SPI = 0x20000002, BUFFERS = 7 << 20 };

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

static int open_udp(const char *local)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
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

int main(int argc, char **argv)
{
    IkeSaInfo info = {.local.family = 4, .remote.family = 4};
    IkeAddress peer = {.family = 4, .port = PORT};
    DatapathSetup setup = {.udp6 = -1};
    bool large, first;
    Datapath *path;
    EspSa *out;
    char byte;

    if (argc != 7 || inet_pton(AF_INET, argv[5], peer.bytes) != 1)
        return 2;
    large = strcmp(argv[2], "large") == 0;
    first = strcmp(argv[6], "first") == 0;
    setup.udp4 = open_udp(argv[4]);
    path = datapath_new(&setup, NULL);
    if (path == NULL)
        die("datapath");
    datapath_set_peer(path, &peer, 1500);
    datapath_add_in(path, make_sa(esp_open_new, argv[3], first ? FIRST_SPI : SECOND_SPI), &info);
    out = make_sa(esp_seal_new, argv[3], first ? SECOND_SPI : FIRST_SPI);
    printf("%u\n", datapath_inner_mtu(out, &peer, 1500));
    datapath_set_out(path, out, &info);
    datapath_attach_tun(path, open_tun(argv[1], large), large);
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    print_stats(path);
    datapath_free(path);
    return 0;
}
