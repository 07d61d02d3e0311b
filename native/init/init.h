/* init: the container's first process. What it promises stands in native/README.md. */
#ifndef FASTMIG_INIT_H
#define FASTMIG_INIT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum {
	PROTOCOL_VERSION = 1,
	LONGEST_NAME = 63,
	LONGEST_FRAME = 1 << 20,
	EXIT_USAGE = 64,
	EXIT_OS = 71,
	EXIT_LOCKED = 75,
	EXIT_STOPPED_HARD = 137,
};

/* util.c */
__attribute__((noreturn, format(printf, 2, 3))) void die(int status, const char *format, ...);
__attribute__((format(printf, 1, 2))) void warn(const char *format, ...);
int64_t now_ms(void);
bool parse_number(const char *text, long lowest, long highest, long *number);

/* watch.c: one poll(2) over what the parts wait for in this turn. */
typedef void watch_handler(short events, void *context);
void watch(int fd, short events, watch_handler *handler, void *context);
void watch_at_latest(int64_t at_ms);
void watch_turn(void);

/* pump.c: the service's stdout and stderr, kept for as long as the container lives. */
void pumps_open(void);
void pumps_watch(void);
bool pumps_idle(void);
int pump_fresh_end(int which);
int pumps_chown(uid_t uid, gid_t gid);
uint64_t pump_inode(int which);

/* control.c: the line to the daemon. */
void control_open(int fd, bool first_process);
void control_close(void);
void control_watch(void);
bool control_has_room(void);
unsigned control_generation(void);
__attribute__((format(printf, 1, 2))) void control_say(const char *format, ...);

/* One request of the daemon's; its words live until the handler returns. */
struct request {
	long id;
	unsigned generation;
	char **words;
	size_t count;
};
void answer(long id, unsigned generation, bool ok, const char *text);

/* verbs.c */
void verb_run(struct request *request);

/* children.c: who was spawned, whose exec is not yet known to have worked. */
void children_spawn(struct request *request);
void children_watch(void);
bool children_reap(void);
const char *children_name(pid_t pid);
void children_list(FILE *out);
void children_kill_all(void);

/* process.c: /proc/PID/stat */
struct process {
	pid_t pid, parent;
	char state;
	unsigned long long start;
};
bool process_read(pid_t pid, struct process *process);
typedef void process_visitor(const struct process *child, void *context);
void process_each_child(process_visitor *visit, void *context);

/* exits.c: exits that no daemon has acknowledged yet. */
void exits_keep(pid_t pid, unsigned long long start, const char *name, int code, bool signaled);
void exits_tell(void);
void exits_untell(void);
void exits_acknowledge(unsigned long long sequence);

/* spawn.c: the child's side between fork and exec. */
struct spawn {
	const char *name, *cwd, *file;
	uid_t uid;
	gid_t gid;
	gid_t groups[64];
	size_t group_count;
	uint64_t capabilities;
	pid_t pid;
	bool service_stdio, subreaper, inherit_pipes;
	char **argv, **env;
};
const char *spawn_parse(struct request *request, struct spawn *spawn);
pid_t spawn_fork(pid_t wanted);
__attribute__((noreturn)) void spawn_exec(const struct spawn *spawn, int report);
void child_fresh(void);
int lift(int fd);

/* capabilities.c */
int capabilities_leave(uint64_t wanted);
void capabilities_use(void);

/* cursor.c */
const char *cursor_begin(struct request *request, long target);
void cursor_cancel(void);
bool cursor_slice(void);

/* daemon.c */
void daemon_configure(char **argv, bool first_process);
void daemon_watch(void);
bool daemon_is(pid_t pid);
bool daemon_ended(pid_t pid);
void daemon_kill(const char *why);

/* stop.c */
void stop_configure(void);
void stop_signal(int signal);
void stop_repeat(void);
void stop_watch(void);
__attribute__((noreturn)) void stop_now(int status);

#endif
