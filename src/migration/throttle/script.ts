/**
 * Takes processor time from a service, and gives it back whatever ends first. Run by bash as the node's root:
 * `bash -c SCRIPT bash INIT SECONDS UNDO PID…`: INIT is the container's first process as the node numbers it, the PIDs are the
 * service's as the container numbers them, UNDO is `undoScript`. It says `usage N`, the microseconds of processor time that
 * the service used within 100 ms. Then each line of its input is a quota, microseconds within 100 ms, and answered with
 * `set N`; a line again and again says that somebody is there.
 *
 * The service gets a cgroup of its own below its container's: the container's quota would slow the daemon and CRIU down too.
 * The engine knows nothing of it, so nothing stays. Version 1: cpu.cfs_quota_us. Version 2: cpu.max of a threaded cgroup, the
 * only kind that may lie below one that has processes.
 */
export const throttleScript = `set -u
init=$1 patience=$2 undo=$3
shift 3
home=$(awk -F: '$2 ~ /(^|,)cpu(,|$)/ { sub(/^[^:]*:[^:]*:/, ""); print; exit }' "/proc/$init/cgroup")
base=$(awk '$3 == "cgroup" && $4 ~ /(^|,)cpu(,|$)/ { print $2; exit }' /proc/mounts)
version=1
if [ -z "$home" ] || [ -z "$base" ]; then
  version=2
  home=$(sed -n 's/^0:://p' "/proc/$init/cgroup")
  base=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
fi
home=$base$home
cell=$home/fastmig-throttle
[ -d "$home" ] || { echo "there is no cgroup $home" >&2; exit 1; }

had=$(grep -cw cpu "$home/cgroup.subtree_control" 2> /dev/null)

# The undoing waits for the end of a pipe that this process alone holds open: it comes with its death, also by SIGKILL.
coproc UNDO { trap '' TERM HUP INT; exec setsid bash -c "$undo" bash "$home" "$cell" "$version" "$had" > /dev/null 2>&1; }
undoing=$UNDO_PID open=\${UNDO[1]}

mkdir -p "$cell" || exit 1
if [ "$version" = 2 ]; then
  [ "$(cat "$cell/cgroup.type")" = threaded ] || echo threaded > "$cell/cgroup.type" || exit 1
  echo +cpu > "$home/cgroup.subtree_control" || exit 1
fi

set_quota() {
  if [ "$version" = 1 ]; then echo 100000 > "$cell/cpu.cfs_period_us" && echo "$1" > "$cell/cpu.cfs_quota_us"
  else echo "$1 100000" > "$cell/cpu.max"; fi
}
# A process that ends meanwhile is no failure; a child born meanwhile is found below its parent.
take() {
  local child
  echo "$1" 2> /dev/null > "$cell/cgroup.procs" || return 0
  for child in $(cat "/proc/$1/task/"*/children 2> /dev/null); do take "$child"; done
}
used() {
  local sum=0 stat
  for stat in "$@"; do
    stat=$(sed 's/^.*) //' "/proc/$stat/stat" 2> /dev/null) || continue
    set -- $stat
    sum=$((sum + \${12} + \${13}))
  done
  echo "$sum"
}

pids=()
for status in $(grep -l -s '^NSpid:' /proc/[0-9]*/status); do
  inner=$(sed -n 's/^NSpid:.*[[:space:]]//p' "$status" 2> /dev/null)
  pid=\${status#/proc/}
  pid=\${pid%/status}
  case " $* " in *" $inner "*) ;; *) continue ;; esac
  [ "$(readlink "/proc/$pid/ns/pid")" = "$(readlink "/proc/$init/ns/pid")" ] && pids+=("$pid")
done
[ "\${#pids[@]}" -gt 0 ] || { echo "no process of the service is there" >&2; exit 1; }
for pid in "\${pids[@]}"; do take "$pid"; done
for pid in "\${pids[@]}"; do take "$pid"; done

before=$(used "\${pids[@]}")
sleep 1
# Clock ticks of 10 ms within a second are as many thousandths of it within 100 ms.
echo "usage $((($(used "\${pids[@]}") - before) * 1000))"

while IFS= read -r -t "$patience" quota; do
  set_quota "$quota" || exit 1
  echo "set $quota"
done
exec {open}>&-
wait "$undoing"`;

/**
 * `bash -c SCRIPT bash HOME CELL VERSION HAD`: when its input ends, the processes go back to HOME and CELL is removed; with
 * HAD 0 the controller is taken from HOME's children again. Exits 0 then.
 */
export const undoScript = `trap '' TERM HUP INT
home=$1 cell=$2 version=$3 had=$4
cat > /dev/null
list=$cell/cgroup.procs
[ "$version" = 1 ] || list=$cell/cgroup.threads
if [ "$version" = 1 ]; then echo -1 > "$cell/cpu.cfs_quota_us"; else echo max > "$cell/cpu.max"; fi
for attempt in $(seq 100); do
  [ -d "$cell" ] || break
  for pid in $(cat "$list"); do echo "$pid" > "$home/cgroup.procs"; done
  rmdir "$cell" && break
  sleep 0.1
done
[ "$version" = 1 ] || [ "$had" != 0 ] || echo -cpu > "$home/cgroup.subtree_control"
[ ! -d "$cell" ]`;
