// SPDX-License-Identifier: GPL-2.0-or-later
/* Opens a TUN interface that lives as long as a descriptor of it is open.
 *
 * IFF_TUN_EXCL makes the kernel refuse a name that exists, so that we never attach to an interface
 * that somebody else made.
 */
#include "platform/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { VNET_HEADER_SIZE = 10 }; /* struct virtio_net_hdr without num_buffers */

static int attach(int fd, const char *name, bool vnet_hdr)
{
    struct ifreq request = {0};
    short flags = IFF_TUN | IFF_NO_PI;

    if (vnet_hdr)
        flags |= IFF_VNET_HDR;
    request.ifr_flags = flags | (short)IFF_TUN_EXCL;
    memcpy(request.ifr_name, name, strlen(name));
    if (ioctl(fd, TUNSETIFF, &request) < 0)
        return -errno;
    int size = VNET_HEADER_SIZE;

    if (vnet_hdr && ioctl(fd, TUNSETVNETHDRSZ, &size) < 0)
        return -errno;
    return 0;
}

int platform_tun_open(const char *name, bool vnet_hdr, int *fdp)
{
    if (!name[0] || strlen(name) >= IFNAMSIZ)
        return -EINVAL;
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    int r = attach(fd, name, vnet_hdr);

    if (r < 0) {
        close(fd);
        return r;
    }
    *fdp = fd;
    return 0;
}
