"""What the hot path must not contain, and the short lists of what it may."""
import re

# What a root may call outside the binary, with the reason.
EXTERNAL = {
    "memcpy": "copies bytes: what C would call",
    "memmove": "copies bytes: what C would call",
    "memset": "clears bytes: what C would call",
    "clock_gettime": "reads the clock for a deadline; answered without entering the kernel",
    "swift_willThrowTypedImpl": "a throw: only on the path of a failure, and a single test of a hook",
    "__stack_chk_fail": "a trap",
    "abort": "a trap",
    "swift_unexpectedErrorTyped": "a trap",
}
# The same, for the roots over one kind of socket only.
EXTERNAL_OF = {
    "hot_packet_vsock": {
        "pthread_mutex_lock": "handed to the thread that sends packets, because the kernel tears them otherwise",
        "pthread_mutex_unlock": "likewise",
        "pthread_cond_signal": "likewise",
    },
}
NO_RETURN = {"__stack_chk_fail", "abort", "swift_unexpectedErrorTyped", "swift_unexpectedError"}

# Functions in the binary that are not followed, with the reason: cold by design.
COLD = [
    (re.compile(r"^SocketKitPoll\.PollPoller\.\(?grow\b"),
     "PollPoller.grow: amortized growth, when a registration finds the table full"),
    (re.compile(r"SocketKitVsock\.PacketSenderShare\.(startSending|\(start in )"),
     "PacketSenderShare.startSending: the thread of a socket's packets, with the first one and after idleness"),
    (re.compile(r"SocketKitVsock\.PacketSenderState\.makeRoom\b"),
     "PacketSenderState.makeRoom: the memory for packets, at a socket's first packet and at each longest one"),
    (re.compile(r"^lazy protocol witness table accessor for type SocketKitCore\.SocketError and conformance"),
     "names SocketError's conformance for a throw: only on the path of a failure"),
]

# (category, pattern over the callee's name). The first that matches names the fault.
FORBIDDEN = [
    ("exclusivity check", r"^swift_(beginAccess|endAccess)"),
    ("retain or release", r"^swift_(nonatomic_)?(retain|release|bridgeObject|unknownObject|unowned|weak|isUniquely)"),
    ("allocation", r"^(swift_(alloc|dealloc|slowAlloc|slowDealloc|initStackObject|initStaticObject|projectBox|"
                   r"arrayInit|errorRetain|errorRelease|coroFrame)|malloc$|calloc$|realloc$|free$|posix_memalign$|"
                   r"aligned_alloc$|"
                   r"_Zn[wa]|_Zd[la])"),
    ("existential box", r"boxed_opaque_existential|^__swift_(project|allocate|destroy|mutable_project)_\w*box|"
                        r"^outlined .* of (any |.* any )"),
    ("witness table access", r"^swift_(getWitnessTable|getAssociated|conformsTo|dynamicCast)|witness table accessor|"
                             r"^protocol witness for|^associated (conformance|type)"),
    ("metadata access", r"^swift_(get\w*Metadata|checkMetadata|getTypeByMangled|getSingleton|getOpaqueType|"
                        r"instantiate)|type metadata accessor|^__swift_instantiate|demangling cache"),
    ("lazy global", r"^swift_once|unsafeMutableAddressor"),
    ("concurrency runtime", r"^swift_(task|continuation|job|defaultActor)"),
]
FORBIDDEN = [(category, re.compile(pattern)) for category, pattern in FORBIDDEN]


def cold_reason(names):
    for name in names:
        for pattern, reason in COLD:
            if pattern.search(name):
                return reason
    return None


def may_call(root, name):
    """Whether a root may call a function outside the binary."""
    return name in EXTERNAL or any(root.startswith(kind) and name in names for kind, names in EXTERNAL_OF.items())


def fault(name):
    """The category of a callee that must not be called, or None."""
    for category, pattern in FORBIDDEN:
        if pattern.search(name):
            return category
    return None
