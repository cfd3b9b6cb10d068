package midtest

import "fmt"

// unknown is the error of driving what does not exist. list is the method that
// lists what does.
func unknown(kind, id, list string) error {
	return fmt.Errorf("midtest: there is no %s %q; %s lists those of this server", kind, id, list)
}

// already is the error of driving what has ended.
func already(kind, id, status, advice string) error {
	return fmt.Errorf("midtest: %s %s is already %s; %s", kind, id, status, advice)
}
