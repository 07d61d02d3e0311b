/* hold: CRIU's action script, which keeps a tree from being killed or started until a verdict stands. */
#ifndef FASTMIG_HOLD_H
#define FASTMIG_HOLD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROCEED = 0, REFUSE = 1 };

/* files.c: all in the migration's directory, which is the working directory. */
enum verdict { UNDECIDED, RELEASED, RUNNING, ABORTED, GARBLED };
enum verdict verdict_read(void);
ssize_t file_read(const char *name, char *text, size_t size);
int file_write(const char *name, const char *text);
int file_decide(const char *written, const char *name);
bool verdict_sync(void);
int64_t lease_read(int64_t otherwise_ns);
int64_t boottime_ns(void);

/* tree.c */
bool tree_each(pid_t root, bool (*visit)(pid_t pid, void *with), void *with);

/* clocks.c */
bool clocks_note(void);
bool clocks_set(pid_t root);

/* stdio.c */
bool stdio_is_ours(pid_t root);

/* waiter.c */
void waiter_open(void);
bool waiter_wait(int64_t until_ns);

__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

#endif
