"""One connection over vsock. `serve PORT` sends back all that comes; `ask CONTEXT PORT` sends, and compares.

Exit status of `ask`: 0 when every byte came back, 1 when the connection cannot be made yet or breaks, 2 when other bytes
came back.
"""
import socket
import sys
import threading

AMOUNT = 256 * 1024


def serve(port):
    with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as listener:
        listener.bind((socket.VMADDR_CID_ANY, port))
        listener.listen(1)
        connection, peer = listener.accept()
        total = 0
        with connection:
            while data := connection.recv(65536):
                connection.sendall(data)
                total += len(data)
        print(f"guest: sent {total} bytes back to context ID {peer[0]}", flush=True)


def ask(context, port):
    message = bytes((index * 7 + index // 251) % 256 for index in range(AMOUNT))
    answer = bytearray()
    try:
        with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as connection:
            connection.settimeout(10)
            connection.connect((context, port))
            connection.settimeout(60)
            local = connection.getsockname()

            def send():
                connection.sendall(message)
                connection.shutdown(socket.SHUT_WR)

            sender = threading.Thread(target=send)
            sender.start()
            while data := connection.recv(65536):
                answer += data
            sender.join()
    except OSError as error:
        print(f"host: not yet: {error}", flush=True)
        return 1
    if answer != message:
        print(f"host: {len(answer)} other bytes came back", flush=True)
        return 2
    print(f"host: {len(answer)} bytes went to context ID {context} and came back; our address was {local}", flush=True)
    return 0


arguments = [int(word) for word in sys.argv[2:]]
sys.exit(serve(*arguments) if sys.argv[1] == "serve" else ask(*arguments))
