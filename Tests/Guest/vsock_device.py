"""vsock_device.py SOCKET CONTEXT: the host side of a guest's virtio vsock device, for QEMU's vhost-user-vsock.

This program acts as the hypervisor, without using the vsock of this machine. The guest has the context ID CONTEXT. The
host (context ID 2) has these ports:
- port 5000: echoes streams and sequenced packets,
- port 5001: never answers a connection request,
- port 5002: resets the connection when the first bytes arrive,
- port 5003: never reads,
- every other port: nothing is listening, so connection requests are reset.
The program exits together with QEMU. References: Virtio 1.2, 2.7 and 5.10; the vhost-user protocol in QEMU's
documentation.
"""
import array
import mmap
import os
import select
import socket
import struct
import sys

ECHO, SILENT, RESETTING, DEAF = 5000, 5001, 5002, 5003
REQUEST, RESPONSE, RESET, SHUTDOWN, DATA, CREDIT_UPDATE, CREDIT_REQUEST = range(1, 8)
# The features: stream and packet sockets, virtio version 1, and protocol features. The only protocol feature is the
# configuration.
FEATURES = 1 << 1 | 1 << 32 | 1 << 30
PROTOCOL_FEATURES = 1 << 9
BUFFER = 256 * 1024
HEADER = struct.Struct("<QQIIIHHIII")


class Memory:
    """The guest's memory, accessible by the guest's addresses and by QEMU's addresses."""

    def __init__(self, payload, files):
        self.regions = []
        for index in range(struct.unpack_from("<I", payload)[0]):
            guest, size, user, offset = struct.unpack_from("<QQQQ", payload, 8 + 32 * index)
            self.regions.append((guest, user, size, offset, mmap.mmap(files[index], size + offset)))
            os.close(files[index])

    def at(self, address, which=0):
        """Returns a mapping and an offset in it; `which` is 0 for the guest's addresses, 1 for QEMU's."""
        for region in self.regions:
            start, size = region[which], region[2]
            if start <= address < start + size:
                return region[4], address - start + region[3]
        raise ValueError(f"no memory at {address:#x}")


class Queue:
    """A split virtqueue."""

    def __init__(self):
        self.size = self.next = 0
        self.kick = self.call = None
        self.rings = None

    def place(self, memory, payload):
        _, _, descriptors, used, available, _ = struct.unpack("<IIQQQQ", payload)
        self.memory = memory
        self.rings = [memory.at(address, 1) for address in (descriptors, available, used)]

    def take(self):
        """Returns the number and the parts of the next chain that the guest has made available, or None."""
        if self.rings is None:
            return None
        (table, first), (ring, start), _ = self.rings
        if struct.unpack_from("<H", ring, start + 2)[0] == self.next:
            return None
        head = struct.unpack_from("<H", ring, start + 4 + 2 * (self.next % self.size))[0]
        self.next = (self.next + 1) & 0xFFFF
        parts, number = [], head
        while True:
            address, length, flags, following = struct.unpack_from("<QIHH", table, first + 16 * number)
            parts.append((*self.memory.at(address), length))
            if not flags & 1:
                return head, parts
            number = following

    def give_back(self, head, length):
        ring, start = self.rings[2]
        index = struct.unpack_from("<H", ring, start + 2)[0]
        struct.pack_into("<II", ring, start + 4 + 8 * (index % self.size), head, length)
        struct.pack_into("<H", ring, start + 2, (index + 1) & 0xFFFF)
        if self.call is not None:
            os.write(self.call, struct.pack("<Q", 1))


class Device:
    def __init__(self, channel, context):
        self.channel = channel
        self.context = context
        self.receiving, self.sending = self.queues = [Queue(), Queue()]
        self.memory = None
        self.waiting = []  # packets for which the guest has no buffer yet
        self.taken = {}  # bytes taken from each connection

    def run(self):
        while True:
            kicks = {queue.kick: queue for queue in self.queues if queue.kick is not None}
            for ready in select.select([self.channel, *kicks], [], [])[0]:
                if ready is self.channel:
                    if not self.answer():
                        return
                elif ready in kicks and kicks[ready].kick == ready:
                    os.read(ready, 8)
                    self.serve()

    # Requests from QEMU.

    def answer(self):
        words, ancillary, _, _ = self.channel.recvmsg(12, 4096)
        if len(words) < 12:
            return False
        files = array.array("i")
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                files.frombytes(data[: len(data) // 4 * 4])
        request, flags, size = struct.unpack("<III", words)
        payload = self.channel.recv(size, socket.MSG_WAITALL) if size else b""
        reply = self.handle(request, payload, list(files))
        if reply is not None:
            self.channel.sendall(struct.pack("<III", request, 5, len(reply)) + reply)
        return True

    def handle(self, request, payload, files):
        if request == 1:  # VHOST_USER_GET_FEATURES
            return struct.pack("<Q", FEATURES)
        if request == 15:  # VHOST_USER_GET_PROTOCOL_FEATURES
            return struct.pack("<Q", PROTOCOL_FEATURES)
        if request == 24:  # VHOST_USER_GET_CONFIG
            offset, size, flags = struct.unpack_from("<III", payload)
            return struct.pack("<III", offset, size, flags) + struct.pack("<Q", self.context)[offset : offset + size]
        if request == 5:  # VHOST_USER_SET_MEM_TABLE
            self.memory = Memory(payload, files)
        elif request == 8:  # VHOST_USER_SET_VRING_NUM
            index, number = struct.unpack("<II", payload)
            self.queues[index].size = number
        elif request == 9:  # VHOST_USER_SET_VRING_ADDR
            self.queues[payload[0]].place(self.memory, payload)
        elif request == 10:  # VHOST_USER_SET_VRING_BASE
            index, number = struct.unpack("<II", payload)
            self.queues[index].next = number
        elif request == 11:  # VHOST_USER_GET_VRING_BASE: the queue stops
            queue = self.queues[payload[0]]
            for file in (queue.kick, queue.call):
                if file is not None:
                    os.close(file)
            queue.kick = queue.call = queue.rings = None
            self.waiting.clear()
            self.taken.clear()
            return struct.pack("<II", payload[0], queue.next)
        elif request in (12, 13):  # VHOST_USER_SET_VRING_KICK, VHOST_USER_SET_VRING_CALL
            queue, name = self.queues[payload[0]], "kick" if request == 12 else "call"
            if getattr(queue, name) is not None:
                os.close(getattr(queue, name))
            setattr(queue, name, files[0] if files else None)
        else:  # the chosen features, the owner, and notifications without a reply
            for file in files:
                os.close(file)
        return None

    # Packets from the guest.

    def serve(self):
        while (chain := self.sending.take()) is not None:
            head, parts = chain
            packet = b"".join(memory[place : place + length] for memory, place, length in parts)
            self.sending.give_back(head, 0)
            self.receive(HEADER.unpack_from(packet), packet[HEADER.size :])
        self.deliver()

    def receive(self, header, data):
        _, target, guest_port, port, length, kind, operation, flags, _, _ = header
        connection = (guest_port, port, kind)

        def send(operation, flags=0, data=b""):
            self.waiting.append((connection, operation, flags, data))

        if operation == REQUEST:
            if port == SILENT:
                return
            if target == 2 and port in (ECHO, RESETTING, DEAF):
                self.taken[connection] = 0
                send(RESPONSE)
            else:
                send(RESET)
        elif connection not in self.taken:
            if operation != RESET:
                send(RESET)
        elif operation == DATA and port == ECHO:
            self.taken[connection] += length
            send(DATA, flags, data[:length])
        elif operation == DATA and port == RESETTING:
            del self.taken[connection]
            send(RESET)
        elif operation == CREDIT_REQUEST:
            send(CREDIT_UPDATE)
        elif operation in (SHUTDOWN, RESET):
            if operation == SHUTDOWN and flags == 3:
                send(RESET)
            if operation == RESET or flags == 3:
                del self.taken[connection]

    def deliver(self):
        """Writes the waiting packets to the guest's buffers, one packet per buffer, split to fit."""
        while self.waiting and (chain := self.receiving.take()) is not None:
            head, parts = chain
            room = sum(length for _, _, length in parts) - HEADER.size
            connection, operation, flags, data = self.waiting.pop(0)
            guest_port, port, kind = connection
            now, later = data[:room], data[room:]
            if later:
                # Only the last packet of a message has the end-of-message flag.
                self.waiting.insert(0, (connection, operation, flags, later))
                flags = 0
            packet = (
                HEADER.pack(
                    2, self.context, port, guest_port, len(now), kind, operation, flags, BUFFER,
                    self.taken.get(connection, 0) & 0xFFFFFFFF)
                + now
            )  # fmt: skip
            written = 0
            for memory, place, length in parts:
                piece = packet[written : written + length]
                memory[place : place + len(piece)] = piece
                written += len(piece)
            self.receiving.give_back(head, written)


path, context = sys.argv[1], int(sys.argv[2])
with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
    listener.bind(path)
    listener.listen(1)
    Device(listener.accept()[0], context).run()
