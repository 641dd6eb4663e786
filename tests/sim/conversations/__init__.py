# SPDX-License-Identifier: GPL-2.0-or-later
"""Conversations between the protocol core and gateways; each function is one case (see cases.py).
"""
