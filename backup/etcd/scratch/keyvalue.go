package scratch

import (
	"encoding/binary"
	"errors"
)

// keyValue is what is needed of an mvccpb.KeyValue (api/mvccpb/kv.proto). Reading
// all of it would copy every value of the database.
type keyValue struct {
	key      []byte
	modified int64
}

// errKeyValue says nothing of the value: it may be a Secret's.
var errKeyValue = errors.New("it can't be read")

// readKeyValue checks that a message can be read as one, down to its end.
func readKeyValue(data []byte) (kv keyValue, err error) {
	for len(data) > 0 {
		tag, n := binary.Uvarint(data)
		if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29-1 {
			return keyValue{}, errKeyValue
		}
		data = data[n:]
		var number uint64
		var text []byte
		switch tag & 7 {
		case 0:
			if number, n = binary.Uvarint(data); n <= 0 {
				return keyValue{}, errKeyValue
			}
			data = data[n:]
		case 1, 5:
			size := 8
			if tag&7 == 5 {
				size = 4
			}
			if len(data) < size {
				return keyValue{}, errKeyValue
			}
			data = data[size:]
		case 2:
			size, n := binary.Uvarint(data)
			if n <= 0 || size > uint64(len(data)-n) {
				return keyValue{}, errKeyValue
			}
			text, data = data[n:uint64(n)+size], data[uint64(n)+size:]
		default:
			return keyValue{}, errKeyValue
		}
		switch tag {
		case 1<<3 | 2:
			kv.key = text
		case 3 << 3:
			kv.modified = int64(number)
		case 2 << 3, 4 << 3, 5<<3 | 2, 6 << 3: // created, version, value, lease
		default:
			if tag>>3 <= 6 {
				return keyValue{}, errKeyValue // a known field of another type
			}
		}
	}
	return kv, nil
}
