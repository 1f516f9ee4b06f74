// The name service of a test process: getaddrinfo(3) gives the answers that the test has set for names that end in
// ".test", and asks the C library for all others.
#ifndef NAME_SERVICE_H
#define NAME_SERVICE_H

/// What the lookups of one address family answer, AF_INET (2) or AF_INET6 (10).
/// - status: 0, or an EAI code.
/// - address: the one address to answer with; used when the status is 0.
/// - delay: how many milliseconds a lookup takes; a negative number blocks it until `name_service_release`.
void name_service_answer(int family, int status, const char *address, int delay);
/// Ends the lookups that are blocked, and blocks no more until the next `name_service_answer`.
void name_service_release(void);
/// The same for the lookups of one address family.
void name_service_release_family(int family);
/// How many lookups of such names are in progress.
int name_service_running(void);
/// How many lookups of such names have begun since the process started.
int name_service_begun(void);

#endif
