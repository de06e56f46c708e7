package ldap

import (
	"testing"

	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var update = prototest.UpdateFlag()

func TestGolden(t *testing.T) { prototest.Golden(t, Protocol, *update) }

func TestReadme(t *testing.T) { prototest.Readme(t, Protocol) }
