package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
)

// process is one of a fleet.
type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	end    sync.Once
}

// start runs this program once more, in a role. The process has to be killed.
func (r role) start() (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), roleEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &process{cmd: cmd, stdin: stdin, stdout: bufio.NewReader(stdout)}, nil
}

// read reads what the process says next.
func (p *process) read(out any) error {
	line, err := p.stdout.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("process %d has ended early: %w", p.cmd.Process.Pid, err)
	}
	return json.Unmarshal(line, out)
}

// begin has the process begin.
func (p *process) begin() error {
	_, err := io.WriteString(p.stdin, "\n")
	return err
}

// kill ends the process wherever it is.
func (p *process) kill() {
	p.end.Do(func() {
		_ = p.cmd.Process.Kill() // it may have ended by itself
		p.stdin.Close()
		_ = p.cmd.Wait() // its status says that it was killed
	})
}
