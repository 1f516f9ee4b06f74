"""One connection over vsock. `serve PORT` echoes all input; `ask CONTEXT PORT` sends data and compares the reply.

`ask` retries until the connection succeeds: while a guest boots, connecting fails first because there is no device,
then with a time-out, then with a reset. Exit status of `ask`: 0 if the reply is correct, 1 if the connection failed,
2 if the reply differs.
"""
import socket
import sys
import threading
import time

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


def connected(context, port):
    last = None
    while True:
        connection = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
        try:
            connection.settimeout(10)
            connection.connect((context, port))
            return connection
        except OSError as error:
            connection.close()
            if str(error) != last:
                last = str(error)
                print(f"host: not yet: {last}", flush=True)
            time.sleep(2)


def ask(context, port):
    message = bytes((index * 7 + index // 251) % 256 for index in range(AMOUNT))
    answer = bytearray()
    connection = connected(context, port)
    try:
        with connection:
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
        print(f"host: {error}", flush=True)
        return 1
    if answer != message:
        print(f"host: {len(answer)} other bytes came back", flush=True)
        return 2
    print(f"host: {len(answer)} bytes went to context ID {context} and came back; our address was {local}", flush=True)
    return 0


arguments = [int(word) for word in sys.argv[2:]]
sys.exit(serve(*arguments) if sys.argv[1] == "serve" else ask(*arguments))
