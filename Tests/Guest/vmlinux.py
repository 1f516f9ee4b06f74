"""vmlinux.py IMAGE OUTPUT: extracts the ELF kernel from a bzImage, to avoid decompression by the emulated processor.

QEMU boots the ELF file by means of its PVH note (Linux 4.21). Documentation/arch/x86/boot.rst describes the header.
"""
import lzma
import struct
import subprocess
import sys
import zlib

SETUP_SECTORS, MAGIC, VERSION, PAYLOAD = 0x1F1, 0x202, 0x206, 0x248


def unpack(packed):
    if packed.startswith(b"\xfd7zXZ"):
        return lzma.LZMADecompressor().decompress(packed)
    if packed.startswith(b"\x1f\x8b"):
        return zlib.decompressobj(31).decompress(packed)
    if packed.startswith(b"\x28\xb5\x2f\xfd"):
        # The compressed kernel is followed by its size, which zstd would report as a corrupt second frame.
        return subprocess.run(["zstd", "-dcq"], input=packed[:-4], stdout=subprocess.PIPE, check=True).stdout
    sys.exit(f"the kernel is packed in an unknown way: {packed[:8].hex()}")


def main(image, output):
    with open(image, "rb") as file:
        data = file.read()
    if data[MAGIC : MAGIC + 4] != b"HdrS" or struct.unpack_from("<H", data, VERSION)[0] < 0x208:
        sys.exit(f"{image} is no bzImage of boot protocol 2.08 or newer")
    offset, length = struct.unpack_from("<II", data, PAYLOAD)
    start = ((data[SETUP_SECTORS] or 4) + 1) * 512 + offset
    kernel = unpack(data[start : start + length])
    if kernel[:4] != b"\x7fELF":
        sys.exit(f"{image} holds no ELF kernel")
    with open(output, "wb") as file:
        file.write(kernel)


main(*sys.argv[1:])
