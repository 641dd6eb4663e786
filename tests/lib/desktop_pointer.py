# SPDX-License-Identifier: GPL-2.0-or-later
"""What the pointer looks like on the screen, which says whether what is dragged would be taken where it is."""

import ctypes

SHORT, LONG = ctypes.c_ushort, ctypes.c_ulong


class Image(ctypes.Structure):  # pylint: disable=too-few-public-methods
    """An XFixesCursorImage."""
    _fields_ = [("x", ctypes.c_short), ("y", ctypes.c_short), ("width", SHORT), ("height", SHORT), ("xhot", SHORT),
                ("yhot", SHORT), ("serial", LONG), ("pixels", ctypes.c_void_p), ("atom", LONG), ("name", ctypes.c_char_p)]


class Pointer:  # pylint: disable=too-few-public-methods
    """That of the display in the environment."""

    def __init__(self):
        self.xlib, self.xfixes = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXfixes.so.3")
        self.xlib.XOpenDisplay.restype = ctypes.c_void_p
        self.xfixes.XFixesGetCursorImage.restype = ctypes.POINTER(Image)
        self.display = ctypes.c_void_p(self.xlib.XOpenDisplay(None))

    def name(self):
        """Of its image, in the theme that it is from."""
        image = self.xfixes.XFixesGetCursorImage(self.display)
        name = image.contents.name.decode()
        self.xlib.XFree(image)
        return name
