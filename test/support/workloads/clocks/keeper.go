// As keeper.c, by what Go has. Its runtime reads the clock by the kernel's vDSO. Linked with the C library ("C"): without it
// nothing could be preloaded.
package main

import "C"

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"
	_ "unsafe"
)

// CLOCK_MONOTONIC; what package time shows counts from the program's start.
//
//go:linkname nanotime runtime.nanotime
func nanotime() int64

const period = 400 * time.Millisecond

var (
	lock sync.Mutex
	kept = map[string][3]float64{}
)

func keep(name string, wait func()) {
	for {
		until := time.Now().Add(period)
		wait()
		late := time.Since(until)
		lock.Lock()
		account := kept[name]
		account[0]++
		if ms := float64(late) / float64(time.Millisecond); ms > account[1] {
			account[1] = ms
		}
		if late < 0 {
			account[2]++
		}
		kept[name] = account
		lock.Unlock()
	}
}

func withContext() {
	ctx, cancel := context.WithTimeout(context.Background(), period)
	defer cancel()
	<-ctx.Done()
}

func main() {
	go keep("sleep", func() { time.Sleep(period) })
	go keep("timer", func() { <-time.NewTimer(period).C })
	go keep("after", func() { <-time.After(period) })
	go keep("context", withContext)
	back, before := 0, nanotime()
	for i := 1; ; i++ {
		time.Sleep(time.Millisecond)
		now := nanotime()
		if now < before {
			back++
		}
		before = now
		if i%200 == 0 {
			lock.Lock()
			text, _ := json.Marshal(kept)
			lock.Unlock()
			seconds := float64(now) / 1e9
			fmt.Printf("{\"monotonic\": %f, \"boottime\": %f, \"back\": %d, \"kept\": %s}\n", seconds, seconds, back, text)
		}
	}
}
