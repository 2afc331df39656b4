// A log that any web server serves as C2SP tlog-tiles, with nothing else from whoever
// wrote it: each record of its bundles must be in the newest checkpoint's tree, and
// that tree must continue an older checkpoint, by proofs made from the tiles alone.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

// site is what a server has, fetched once.
type site struct {
	url  string
	seen map[string][]byte
}

func judgeTiles(url, key string, older []string) (string, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return "", err
	}
	keys := note.VerifierList(verifier)
	served := site{url: url, seen: map[string][]byte{}}
	text, err := served.get("checkpoint")
	if err != nil {
		return "", err
	}
	newest, err := openCheckpoint(text, keys)
	if err != nil {
		return "", fmt.Errorf("checkpoint: %w", err)
	}
	hashes := tlog.TileHashReader(tlog.Tree{N: newest.size, Hash: newest.root}, &served)
	if err := served.proveInclusion(newest, hashes); err != nil {
		return "", err
	}
	summary := fmt.Sprintf("%d records are in the tree of the served checkpoint", newest.size)
	for _, path := range older {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		before, err := openCheckpoint(text, keys)
		if err != nil {
			return "", fmt.Errorf("older checkpoint: %w", err)
		}
		if err := proveContinuation(before, newest, hashes); err != nil {
			return "", err
		}
		summary += fmt.Sprintf(", which continues that of %d", before.size)
	}
	return summary, nil
}

func proveContinuation(before, newest tree, hashes tlog.HashReader) error {
	proof, err := tlog.ProveTree(newest.size, before.size, hashes)
	if err != nil {
		return fmt.Errorf("it does not continue the older checkpoint: %w", err)
	}
	if err := tlog.CheckTree(proof, newest.size, newest.root, before.size, before.root); err != nil {
		return fmt.Errorf("it does not continue the older checkpoint: %w", err)
	}
	return nil
}

func (served *site) proveInclusion(newest tree, hashes tlog.HashReader) error {
	for begin := int64(0); begin < newest.size; begin += tileWidth {
		width := newest.size - begin
		if width > tileWidth {
			width = tileWidth
		}
		records, err := served.bundle(begin/tileWidth, int(width))
		if err != nil {
			return err
		}
		for i, record := range records {
			index := begin + int64(i)
			proof, err := tlog.ProveRecord(newest.size, index, hashes)
			if err != nil {
				return fmt.Errorf("record %d: %w", index, err)
			}
			leaf := tlog.RecordHash(record)
			if err := tlog.CheckRecord(proof, newest.size, newest.root, index, leaf); err != nil {
				return fmt.Errorf("record %d: %w", index, err)
			}
		}
	}
	return nil
}

// bundle has so many records at least; a full one may stand for a part of it.
func (served *site) bundle(number int64, width int) ([][]byte, error) {
	tile := tlog.Tile{H: tileHeight, L: -1, N: number, W: width}
	data, err := served.tile(tile)
	if err != nil {
		return nil, err
	}
	var records [][]byte
	for len(records) < width {
		if len(data) < 2 {
			return nil, fmt.Errorf("bundle %d ends early", number)
		}
		size := int(binary.BigEndian.Uint16(data))
		if data = data[2:]; len(data) < size {
			return nil, fmt.Errorf("bundle %d ends early", number)
		}
		records = append(records, data[:size])
		data = data[size:]
	}
	return records, nil
}

// Height, ReadTiles and SaveTiles make the site a tlog.TileReader.
func (served *site) Height() int { return tileHeight }

func (served *site) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		data, err := served.tile(tile)
		if err != nil {
			return nil, err
		}
		if len(data) < tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s ends early", servedPath(tile))
		}
		found = append(found, data[:tile.W*tlog.HashSize])
	}
	return found, nil
}

func (served *site) SaveTiles([]tlog.Tile, [][]byte) {}

var errNotThere = errors.New("not there")

// tile falls back to the full one, as tlog-tiles has clients do.
func (served *site) tile(tile tlog.Tile) ([]byte, error) {
	data, err := served.get(servedPath(tile))
	if errors.Is(err, errNotThere) && tile.W != tileWidth {
		tile.W = tileWidth
		return served.get(servedPath(tile))
	}
	return data, err
}

// servedPath is without the height, which is always 8, and with C2SP's word for data.
func servedPath(tile tlog.Tile) string {
	path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
	return strings.Replace(path, "tile/data/", "tile/entries/", 1)
}

func (served *site) get(path string) ([]byte, error) {
	if data, ok := served.seen[path]; ok {
		return data, nil
	}
	answer, err := http.Get(served.url + "/" + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusNotFound {
		return nil, fmt.Errorf("%s: %w", path, errNotThere)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, answer.Status)
	}
	data, err := io.ReadAll(answer.Body)
	if err == nil {
		served.seen[path] = data
	}
	return data, err
}
