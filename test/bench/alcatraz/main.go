// Masks a text again and again with github.com/hoophq/alcatraz and says what one round costs, for comparison.
//
//	alcatraz ROUNDS < TEXT
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"syscall"

	"github.com/hoophq/alcatraz"
	"github.com/hoophq/alcatraz/anonymizer"
)

func main() {
	rounds, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	bytes, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	text := string(bytes)
	engine := alcatraz.NewEngine()
	found := mask(engine, text)
	start := cpuMicros()
	for round := 0; round < rounds; round++ {
		mask(engine, text)
	}
	fmt.Printf("{\"micros\":%d,\"found\":%d}\n", (cpuMicros()-start)/int64(rounds), found)
}

func mask(engine *alcatraz.Engine, text string) int {
	results := engine.Analyze(text, alcatraz.Options{})
	anonymizer.Anonymize(text, results, anonymizer.Replace())
	return len(results)
}

func cpuMicros() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return usage.Utime.Nano()/1000 + usage.Stime.Nano()/1000
}
