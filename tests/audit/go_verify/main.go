// Reads an audit directory as docs/audit_log.md describes it and has Go's own
// transparency log packages judge it: the notes' signatures, each checkpoint's
// tree, that each checkpoint's tree continues the one before, and that each record
// is in the newest one. Of a log that is served as tiles, see tiles.go.
//
// Of segments that retention removed it takes the hashes that stand for their records.
//
// It is not a second `sluice verify`: sequences, headers, what names a removal and the
// tail behind the last checkpoint are that verb's business.
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
	"math/bits"
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

// history is what was read so far: the hashes of the tree by the packages' own
// numbers, the records that are there, and every checkpoint.
type history struct {
	keys    note.Verifiers
	hashes  map[int64]tlog.Hash
	size    int64
	records map[int64][]byte
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
	log := history{
		keys:    note.VerifierList(verifier),
		hashes:  map[int64]tlog.Hash{},
		records: map[int64][]byte{},
	}
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

// segment is its content, also of one that was compressed meanwhile, or removed.
func segment(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if !errors.Is(err, os.ErrNotExist) {
		return data, err
	}
	if _, missing := os.Stat(path + ".zst"); missing != nil {
		return os.ReadFile(strings.TrimSuffix(path, ".log") + ".removed")
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
	case 'R':
		return log.pass(body[1:])
	}
	return fmt.Errorf("unknown frame type %#x", body[0])
}

func (log *history) append(record []byte) error {
	log.records[log.size] = record
	log.put(0, tlog.RecordHash(record))
	return nil
}

// put adds the subtree of 2^level records that the tree ends with from now on, and
// those that it makes whole.
func (log *history) put(level int, hash tlog.Hash) {
	log.size += 1 << level
	for number := log.size>>level - 1; ; number >>= 1 {
		log.hashes[tlog.StoredHashIndex(level, number)] = hash
		if number&1 == 0 {
			return
		}
		hash = tlog.NodeHash(log.hashes[tlog.StoredHashIndex(level, number-1)], hash)
		level++
	}
}

// pass takes what stands for removed records: {1: end, 2: [hashes], 3: …}, each hash of
// the largest subtree that begins where the last one ended, lies at a multiple of its
// size, and does not reach past the end.
func (log *history) pass(payload []byte) error {
	in := cbor(payload)
	if in.head(5) != 3 || in.head(0) != 1 {
		return errors.New("not what stands for removed records")
	}
	end := in.head(0)
	if in.head(0) != 2 {
		return errors.New("not what stands for removed records")
	}
	for count := in.head(4); count > 0; count-- {
		var hash tlog.Hash
		if copy(hash[:], in.take(in.head(2))) != tlog.HashSize || log.size >= end {
			return errors.New("a hash of removed records is none")
		}
		level := bits.Len64(uint64(end-log.size)) - 1
		if aligned := bits.TrailingZeros64(uint64(log.size)); aligned < level {
			level = aligned
		}
		log.put(level, hash)
	}
	if log.size != end {
		return errors.New("hashes of removed records are missing")
	}
	return nil
}

// cbor reads the little of RFC 8949 that this takes; what does not fit reads as -1.
type cbor []byte

func (in *cbor) head(major byte) int64 {
	if len(*in) == 0 || (*in)[0]>>5 != major {
		return -1
	}
	info := int((*in)[0] & 31)
	*in = (*in)[1:]
	if info < 24 {
		return int64(info)
	}
	if info > 27 {
		return -1
	}
	value := int64(0)
	for _, digit := range in.take(1 << (info - 24)) {
		value = value<<8 | int64(digit)
	}
	return value
}

func (in *cbor) take(size int64) []byte {
	if size < 0 || size > int64(len(*in)) {
		return nil
	}
	taken := (*in)[:size]
	*in = (*in)[size:]
	return taken
}

func (log *history) commit(body []byte) error {
	if len(body) < commitNumber {
		return errors.New("a commit without a number")
	}
	signed, err := openCheckpoint(body[commitNumber:], log.keys)
	if err != nil {
		return fmt.Errorf("commit %d: %w", len(log.trees)+1, err)
	}
	if signed.size != log.size {
		return fmt.Errorf("commit %d is of %d records, there are %d", len(log.trees)+1, signed.size,
			log.size)
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

// proveInclusion shows each record that is there in the tree of the checkpoint file, which a
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
		record, isThere := log.records[i]
		if !isThere {
			continue
		}
		proof, err := tlog.ProveRecord(last.size, i, log)
		if err != nil {
			return err
		}
		leaf := tlog.RecordHash(record)
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
		hash, isThere := log.hashes[index]
		if !isThere {
			return nil, fmt.Errorf("hash %d is not there", index)
		}
		found = append(found, hash)
	}
	return found, nil
}
