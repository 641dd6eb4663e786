# SPDX-License-Identifier: GPL-2.0-or-later
"""The dependency rules of the house: who may include whom, and what the protocol core may call."""

import os
import re
import subprocess

from source import ROOT, bare, c_files, functions, production, text

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)

# The headers of C that need no operating system beneath them.
PURE_HEADERS = {"assert.h", "ctype.h", "errno.h", "inttypes.h", "limits.h", "stdalign.h",
                "stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "stdlib.h", "stdnoreturn.h",
                "string.h", "strings.h", "endian.h"}

# folder -> the only folders of the house it may include from. The longest folder that fits counts.
MAY_INCLUDE = {
    "ike/": {"ike/"},
    "platform/helper/": {"platform/"},
    "platform/": {"platform/"},
    "client/common/": {"client/common/"},
    "client/profile/": {"client/profile/", "client/common/", "ike/algs.h", "ike/constants.h"},
    "client/credential/": {"client/credential/", "client/profile/", "client/common/"},
    "client/import/": {"client/import/", "client/profile/", "client/common/"},
    "client/export/": {"client/export/", "client/profile/", "client/common/"},
    "client/tunnel/": {"client/tunnel/", "client/profile/", "client/common/", "ike/", "platform/"},
    "client/service/": {"client/", "ike/", "platform/"},
    "client/cli/": {"client/cli/", "client/common/", "client/profile/", "client/import/",
                    "client/export/", "client/credential/", "platform/"},
    "gui/": {"gui/", "client/common/", "client/profile/", "client/tunnel/frames.h", "platform/keyring.h",
             "platform/sandbox.h", "platform/secret-memory.h"},
}
# The verbs that run a tunnel in their own process.
TUNNEL_VERBS = re.compile(r"^client/cli/(standalone|connect-standalone|diagnose)\b|^client/cli/main\.c")
# Only this verb speaks IKE by hand: the first message as a question, without a session.
PROBING = re.compile(r"^client/cli/diagnose")

# Only these rooms of ike/ speak to OpenSSL.
OPENSSL_ROOMS = re.compile(r"^ike/(crypto|dh|cert)[\w-]*\.[ch]$")
# And only this one to the multi-buffer library.
MULTI_ROOM = "ike/crypto-bulk-multi.c"

FORBIDDEN_CALLS = re.compile(r"\b(assert|abort|exit|_exit|raise|__builtin_trap|g_error|printf|fprintf|puts)\s*\(")


def own_folder(path):
    fitting = [f for f in MAY_INCLUDE if path.startswith(f)]
    return max(fitting, key=len) if fitting else None


def house_headers(path):
    for kind, name in INCLUDE.findall(text(path)):
        if kind == '"' and "/" in name:
            yield name


def includes_point_downward():
    """includes point the way the house allows"""
    for path in filter(production, c_files()):
        folder = own_folder(path)
        if folder is None:
            continue
        allowed = set(MAY_INCLUDE[folder])
        if TUNNEL_VERBS.match(path):
            allowed.add("client/tunnel/")
        if PROBING.match(path):
            allowed.add("ike/")
        for name in house_headers(path):
            known = name.split("/")[0] in ("ike", "client", "gui", "platform")
            if known and not any(name == a or name.startswith(a) for a in allowed):
                yield path, f"includes {name}, which {folder} may not"


def house_headers_are_named_from_the_root():
    """headers of the house are included by their path from the root"""
    for path in filter(production, c_files()):
        for kind, name in INCLUDE.findall(text(path)):
            if kind == '"' and not os.path.exists(os.path.join(ROOT, name)) and "/" not in name:
                beside = os.path.join(os.path.dirname(path), name)
                if os.path.exists(os.path.join(ROOT, beside)):
                    yield path, f"includes \"{name}\" instead of \"{beside}\""


def the_core_includes_only_pure_headers():
    """ike/ includes nothing but libc's pure parts, and the libraries of ciphers in its crypto rooms"""
    for path in (p for p in c_files() if p.startswith("ike/")):
        for kind, name in INCLUDE.findall(text(path)):
            if name.startswith("openssl/"):
                if not OPENSSL_ROOMS.match(path):
                    yield path, f"includes <{name}>; only crypto, dh and cert speak to OpenSSL"
            elif name == "intel-ipsec-mb.h" and path == MULTI_ROOM:
                continue
            elif kind == "<" and name not in PURE_HEADERS:
                yield path, f"includes <{name}>"


def the_core_never_ends_the_process():
    """B9: ike/ never asserts, aborts, exits or prints"""
    for path in (p for p in c_files() if p.startswith("ike/")):
        for match in FORBIDDEN_CALLS.finditer(bare(path)):
            line = bare(path).count("\n", 0, match.start()) + 1
            yield f"{path}:{line}", f"calls {match.group(1)}"


def the_helper_can_be_read_in_an_afternoon():
    """platform/helper has at most 2,500 lines"""
    lines = sum(text(p).count("\n") for p in c_files() if p.startswith("platform/helper/"))
    if lines > 2500:
        yield "platform/helper", f"has {lines} lines"


# ---- symbols of the built library ----
# What libike.a may take from outside: libc's pure parts; the rest must come from libcrypto or libIPSec_MB.
PURE_SYMBOLS = re.compile(
    r"^(mem(cpy|move|set|cmp|chr|mem|rchr)|str(n?len|n?cmp|n?casecmp|r?chr|str|spn|cspn|toul?l?|n?cpy|n?dup)"
    r"|malloc|calloc|realloc|reallocarray|aligned_alloc|free|explicit_bzero|qsort|bsearch"
    r"|is(alnum|alpha|digit|xdigit|space|print|upper|lower)|to(lower|upper)|__ctype_\w+"
    r"|__(memcpy|memmove|memset|strcpy|strcat|explicit_bzero|memchr|strncpy|stpcpy)_chk"
    r"|__(rawmemchr|isoc99_\w+|errno_location|cpu_model)|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_)$")


def library():
    build = os.environ.get("DIALTONE_BUILD", os.path.join(ROOT, "build-check"))
    path = os.path.join(build, "gcc", "ike", "libike.a")
    return path if os.path.exists(path) else None


def crypto_symbols():
    """The names that libcrypto exports, and libIPSec_MB where it is there."""
    names = set()
    for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"):
        for so in (os.path.join(folder, name) for name in ("libcrypto.so", "libIPSec_MB.so")):
            if os.path.exists(so):
                out = subprocess.run(["nm", "-D", "--defined-only", so], capture_output=True, text=True)
                names |= {line.split()[-1].split("@")[0] for line in out.stdout.splitlines() if line}
    return names


def the_core_calls_only_pure_symbols():
    """libike.a takes nothing from outside but libc's pure parts and the libraries of ciphers"""
    if library() is None:
        yield "ike/", "libike.a is not built"
        return
    out = subprocess.run(["nm", library()], capture_output=True, text=True).stdout
    defined, wanted = set(), set()
    for line in out.splitlines():
        parts = line.split()
        if len(parts) == 2 and parts[0] == "U":
            wanted.add(parts[1])
        elif len(parts) == 3:
            defined.add(parts[2])
    crypto = crypto_symbols()
    for name in sorted(wanted - defined - crypto):
        if not PURE_SYMBOLS.match(name):
            yield "ike/", f"calls {name}"


def the_core_has_no_writable_global():
    """libike.a has no writable global"""
    if library() is None:
        yield "ike/", "libike.a is not built"
        return
    out = subprocess.run(["objdump", "-t", library()], capture_output=True, text=True).stdout
    for line in out.splitlines():
        match = re.match(r"^[0-9a-f]+ .{7} (\S+)\s+([0-9a-f]+)\s+(\S+)$", line)
        if not match or match.group(3) == match.group(1) or int(match.group(2), 16) == 0:
            continue
        section = match.group(1)
        if section == "*COM*" or re.match(r"^\.(data(?!\.rel\.ro)|bss|tbss|tdata)", section):
            yield "ike/", f"{match.group(3)} stands in {section}"


def what_is_not_static_is_in_exactly_one_header():
    """whatever is not static is declared in exactly one header"""
    declared = {}
    for path in c_files(".h"):
        for name in set(re.findall(r"\b([A-Za-z_]\w*)\s*\(", bare(path))):
            declared.setdefault(name, set()).add(path)
    for path in filter(production, c_files(".c")):
        for function in functions(path):
            if function.static or function.name == "main":
                continue
            headers = {h for h in declared.get(function.name, ()) if is_declared(h, function.name)}
            if len(headers) != 1:
                where = ", ".join(sorted(headers)) or "no header"
                yield f"{path}:{function.line}", f"{function.name} is declared in {where}"


def is_declared(header, name):
    """True where the header declares name, not merely calls it in an inline function."""
    pattern = rf"(?:^|[;}}\n])\s*(?:[A-Za-z_][\w\s\*\(\),]*?[\s\*])?{name}\s*\([^;{{}}]*\)[^;{{}}]*;"
    return re.search(pattern, bare(header), re.S) is not None


RULES = [includes_point_downward, house_headers_are_named_from_the_root,
         the_core_includes_only_pure_headers, the_core_never_ends_the_process,
         the_helper_can_be_read_in_an_afternoon, the_core_calls_only_pure_symbols,
         the_core_has_no_writable_global, what_is_not_static_is_in_exactly_one_header]
