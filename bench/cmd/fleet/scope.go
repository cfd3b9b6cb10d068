package main

import "github.com/mobid-io/mid-go"

// plans are the published ones.
var plans = map[string]mid.Plan{
	"Sandbox":      mid.PlanSandbox,
	"Standard":     mid.PlanStandard,
	"Starter":      mid.PlanStarter,
	"Professional": mid.PlanProfessional,
}

// scope is what is to be measured.
type scope struct {
	plans, contestants []string
	processes          []int
	seconds            float64 // of each run at the limit
	room               float64 // seconds of each run below the limit, 0 for no such
	roomProcesses      int
}
