# SPDX-License-Identifier: GPL-2.0-or-later
"""IKEv1 gateways for tests: an aggressive-mode responder written from the RFCs alone.

It shares no code with ike/, so that a mistake of one end can't hide in the other.  Like the
client's
core it is sans I/O: datagrams and time go in, datagrams come out.  Whatever an initiator does
against
the RFCs is recorded as a violation, and a test that ends with violations has failed.
"""
