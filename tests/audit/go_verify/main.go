// Reads an audit directory as docs/audit_log.md describes it and has Go's own
// transparency log packages judge it: the notes' signatures, each checkpoint's
// tree, that each checkpoint's tree continues the one before, and that each record
// is in the newest one. Of a log that is served as tiles, see tiles.go.
//
// It is not a second `sluice verify`: sequences, headers and the tail behind the
// last checkpoint are that verb's business.
//
//	go_verify DIRECTORY VERIFIER-KEY
//	go_verify URL VERIFIER-KEY [OLDER-CHECKPOINT-FILE]
package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	magic          = "sluice-segment1\n"
	frameHeadBytes = 8
	bodyBytesMax   = 65536
	commitNumber   = 1 + 8 // the type, and the commit's number before its note
)

// tree is the part of a checkpoint that the two packages judge.
type tree struct {
	size int64
	root tlog.Hash
}

// history is what was read so far: every hash of the tree, in the packages' own
// order, and every checkpoint.
type history struct {
	keys    note.Verifiers
	hashes  []tlog.Hash
	records [][]byte
	trees   []tree
}

func main() {
	if len(os.Args) < 3 || len(os.Args) > 4 {
		fmt.Fprintln(os.Stderr, "usage: go_verify DIRECTORY|URL VERIFIER-KEY [OLDER-CHECKPOINT-FILE]")
		os.Exit(2)
	}
	judged := judge
	if strings.HasPrefix(os.Args[1], "http://") {
		judged = judgeTiles
	}
	summary, err := judged(os.Args[1], os.Args[2], os.Args[3:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
	fmt.Println(summary)
}

func judge(directory, key string, older []string) (string, error) {
	if len(older) != 0 {
		return "", errors.New("an older checkpoint is for tiles")
	}
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return "", err
	}
	log := history{keys: note.VerifierList(verifier)}
	newest, err := os.ReadFile(filepath.Join(directory, "checkpoint"))
	if err != nil {
		return "", err
	}
	last, err := openCheckpoint(newest, log.keys)
	if err != nil {
		return "", fmt.Errorf("checkpoint: %w", err)
	}
	for number := 1; ; number++ {
		name := fmt.Sprintf("segment-%08d.log", number)
		data, err := segment(filepath.Join(directory, name))
		if errors.Is(err, os.ErrNotExist) {
			break
		}
		if err == nil {
			err = log.read(data)
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := log.proveConsistency(); err != nil {
		return "", err
	}
	if err := log.proveInclusion(last); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d records are in the tree of %d checkpoints, each the continuation of the one before",
		last.size, len(log.trees)), nil
}

// segment is its content, also of one that was compressed meanwhile.
func segment(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if !errors.Is(err, os.ErrNotExist) {
		return data, err
	}
	if _, missing := os.Stat(path + ".zst"); missing != nil {
		return nil, missing
	}
	return exec.Command("zstd", "-dcq", path+".zst").Output()
}

// read takes a segment's frames. What is not whole at its end was never signed.
func (log *history) read(data []byte) error {
	if !bytes.HasPrefix(data, []byte(magic)) {
		return errors.New("not a segment")
	}
	data = data[len(magic):]
	castagnoli := crc32.MakeTable(crc32.Castagnoli)
	for len(data) >= frameHeadBytes {
		size := int(binary.LittleEndian.Uint32(data))
		if size == 0 || size > bodyBytesMax || len(data) < frameHeadBytes+size {
			return nil
		}
		body := data[frameHeadBytes : frameHeadBytes+size]
		sum := crc32.Update(crc32.Checksum(data[:4], castagnoli), castagnoli, body)
		if sum != binary.LittleEndian.Uint32(data[4:]) {
			return nil
		}
		if err := log.take(body); err != nil {
			return err
		}
		data = data[frameHeadBytes+size:]
	}
	return nil
}

func (log *history) take(body []byte) error {
	switch body[0] {
	case 'H':
		return nil
	case 0:
		return log.append(body[1:])
	case 'C':
		return log.commit(body)
	}
	return fmt.Errorf("unknown frame type %#x", body[0])
}

func (log *history) append(record []byte) error {
	more, err := tlog.StoredHashes(int64(len(log.records)), record, log)
	if err != nil {
		return err
	}
	log.records = append(log.records, record)
	log.hashes = append(log.hashes, more...)
	return nil
}

func (log *history) commit(body []byte) error {
	if len(body) < commitNumber {
		return errors.New("a commit without a number")
	}
	signed, err := openCheckpoint(body[commitNumber:], log.keys)
	if err != nil {
		return fmt.Errorf("commit %d: %w", len(log.trees)+1, err)
	}
	if signed.size != int64(len(log.records)) {
		return fmt.Errorf("commit %d is of %d records, there are %d", len(log.trees)+1, signed.size,
			len(log.records))
	}
	root, err := tlog.TreeHash(signed.size, log)
	if err != nil {
		return err
	}
	if root != signed.root {
		return fmt.Errorf("commit %d has another root than its records", len(log.trees)+1)
	}
	log.trees = append(log.trees, signed)
	return nil
}

// openCheckpoint checks a note's signature and reads the checkpoint in it.
func openCheckpoint(text []byte, keys note.Verifiers) (tree, error) {
	opened, err := note.Open(text, keys)
	if err != nil {
		return tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != opened.Sigs[0].Name || lines[3] != "" {
		return tree{}, errors.New("not an origin, a size and a root")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return tree{}, err
	}
	return tree{size, root}, nil
}

func (log *history) proveConsistency() error {
	for i := 1; i < len(log.trees); i++ {
		older, newer := log.trees[i-1], log.trees[i]
		proof, err := tlog.ProveTree(newer.size, older.size, log)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(proof, newer.size, newer.root, older.size, older.root); err != nil {
			return fmt.Errorf("commit %d does not continue the one before: %w", i+1, err)
		}
	}
	return nil
}

// proveInclusion shows each record in the tree of the checkpoint file, which a
// running gateway may be ahead of.
func (log *history) proveInclusion(last tree) error {
	found := false
	for _, commit := range log.trees {
		found = found || commit == last
	}
	if !found {
		return errors.New("the checkpoint is of no commit")
	}
	for i := int64(0); i < last.size; i++ {
		proof, err := tlog.ProveRecord(last.size, i, log)
		if err != nil {
			return err
		}
		leaf := tlog.RecordHash(log.records[i])
		if err := tlog.CheckRecord(proof, last.size, last.root, i, leaf); err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
	}
	return nil
}

// ReadHashes makes the history a tlog.HashReader.
func (log *history) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, 0, len(indexes))
	for _, index := range indexes {
		if index >= int64(len(log.hashes)) {
			return nil, fmt.Errorf("hash %d is not there yet", index)
		}
		found = append(found, log.hashes[index])
	}
	return found, nil
}
